/* victim.exe [PORT [ADDRESS]]: listens on loopback and answers; or calls an address every minute. Shows no
   window. Prints its pid and the address of the function that patch.c changes. Compile:
   x86_64-w64-mingw32-gcc -O1 -o victim.exe victim.c -lws2_32 */
#include <winsock2.h>
#include <stdio.h>
#include <stdlib.h>

__declspec(dllexport) __attribute__((noinline)) int answer(int given)
{
	volatile int sum = given;
	for (int i = 0; i < 3; i++)
		sum += i;
	return sum;
}

static int answers(struct sockaddr_in *here)
{
	SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)here, sizeof *here) || listen(listener, 5))
		return 1;
	for (;;) {
		SOCKET caller = accept(listener, NULL, NULL);
		char text[32];
		int length = snprintf(text, sizeof text, "%d\n", answer(1));
		send(caller, text, length, 0);
		closesocket(caller);
	}
}

static int calls(struct sockaddr_in *there)
{
	for (;;) {
		SOCKET caller = socket(AF_INET, SOCK_STREAM, 0);
		char text[256];
		if (!connect(caller, (struct sockaddr *)there, sizeof *there)) {
			send(caller, "who calls\n", 10, 0);
			recv(caller, text, sizeof text, 0);
			Sleep(60000);
		}
		closesocket(caller);
		Sleep(1000);
	}
}

int main(int count, char **words)
{
	WSADATA data;
	WSAStartup(MAKEWORD(2, 2), &data);
	struct sockaddr_in end = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	end.sin_port = htons(count > 1 ? atoi(words[1]) : 4711);
	printf("%lu %p\n", GetCurrentProcessId(), (void *)answer);
	fflush(stdout);
	if (count < 3)
		return answers(&end);
	end.sin_addr.s_addr = inet_addr(words[2]);
	return calls(&end);
}
