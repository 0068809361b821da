/* Shows a window, or none where it is started with a word; calls 127.0.0.1 at port 4714, which it listens at
   itself, once a second. Compile: x86_64-w64-mingw32-gcc -O1 -o window.exe window.c -lws2_32 -lgdi32 */
#include <winsock2.h>
#include <stdio.h>

static DWORD WINAPI talk(void *unused)
{
	(void)unused;
	WSADATA data;
	WSAStartup(MAKEWORD(2, 2), &data);
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(4714),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	SOCKET listener = socket(AF_INET, SOCK_STREAM, 0), caller = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 5) ||
		connect(caller, (struct sockaddr *)&here, sizeof here))
		return 1;
	SOCKET called = accept(listener, NULL, NULL);
	for (;;) {
		char text[4];
		send(caller, "ping", 4, 0);
		recv(called, text, sizeof text, 0);
		send(called, "pong", 4, 0);
		recv(caller, text, sizeof text, 0);
		Sleep(1000);
	}
}

int main(int count, char **words)
{
	(void)words;
	CreateThread(NULL, 0, talk, NULL, 0, NULL);
	printf("%lu\n", GetCurrentProcessId());
	fflush(stdout);
	if (count > 1)
		Sleep(INFINITE);
	HWND window = CreateWindowA("STATIC", "a window", WS_OVERLAPPEDWINDOW | WS_VISIBLE, 50, 50, 300, 200,
		NULL, NULL, NULL, NULL);
	MSG message;
	while (IsWindow(window) && GetMessageA(&message, NULL, 0, 0) > 0)
		DispatchMessageA(&message);
	return 0;
}
