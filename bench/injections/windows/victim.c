/* Listens on loopback and answers; shows no window. Compile:
   x86_64-w64-mingw32-gcc -O1 -o victim.exe victim.c -lws2_32
   Prints its pid and the address of the function that patch.c changes. */
#include <winsock2.h>
#include <stdio.h>

__declspec(dllexport) __attribute__((noinline)) int answer(int given)
{
	volatile int sum = given;
	for (int i = 0; i < 3; i++)
		sum += i;
	return sum;
}

int main(void)
{
	WSADATA data;
	WSAStartup(MAKEWORD(2, 2), &data);
	SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(4711),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 5))
		return 1;
	printf("%lu %p\n", GetCurrentProcessId(), (void *)answer);
	fflush(stdout);
	for (;;) {
		SOCKET caller = accept(listener, NULL, NULL);
		char text[32];
		int length = snprintf(text, sizeof text, "%d\n", answer(1));
		send(caller, text, length, 0);
		closesocket(caller);
	}
}
