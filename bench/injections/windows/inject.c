/* inject.exe PID: puts code into a process, as malware does, and runs it there as a thread. The code does
   nothing but sleep: it calls Sleep(INFINITE). Compile:
   x86_64-w64-mingw32-gcc -O1 -o inject.exe inject.c */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **words)
{
	if (count < 2)
		return 2;
	HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, strtoul(words[1], NULL, 10));
	if (!process)
		return 1;
	/* sub rsp, 40; mov ecx, -1; mov rax, Sleep; call rax; jmp $ */
	unsigned char code[] = { 0x48, 0x83, 0xec, 0x28, 0xb9, 0xff, 0xff, 0xff, 0xff, 0x48, 0xb8,
		0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xd0, 0xeb, 0xfe };
	void *sleep = (void *)GetProcAddress(GetModuleHandleA("kernel32.dll"), "Sleep");
	memcpy(code + 11, &sleep, sizeof sleep);
	void *place = VirtualAllocEx(process, NULL, 4096, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
	if (!place || !WriteProcessMemory(process, place, code, sizeof code, NULL))
		return 1;
	HANDLE thread = CreateRemoteThread(process, NULL, 0, (LPTHREAD_START_ROUTINE)place, NULL, 0, NULL);
	printf("%p\n", place);
	return thread ? 0 : 1;
}
