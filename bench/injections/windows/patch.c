/* patch.exe PID ADDRESS: changes the first bytes of a function in a process: `mov eax, 1; ret` in place of
   what its file has. Compile:
   x86_64-w64-mingw32-gcc -O1 -o patch.exe patch.c */
#include <windows.h>
#include <stdlib.h>

int main(int count, char **words)
{
	if (count < 3)
		return 2;
	HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, strtoul(words[1], NULL, 10));
	void *place = (void *)strtoull(words[2], NULL, 16);
	unsigned char code[] = { 0xb8, 1, 0, 0, 0, 0xc3 };
	DWORD before;
	if (!process || !VirtualProtectEx(process, place, sizeof code, PAGE_EXECUTE_READWRITE, &before))
		return 1;
	if (!WriteProcessMemory(process, place, code, sizeof code, NULL))
		return 1;
	return VirtualProtectEx(process, place, sizeof code, before, &before) ? 0 : 1;
}
