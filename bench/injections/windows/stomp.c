/* stomp.exe WHERE: runs code of its own in the place of a library's, as malware does that wants to begin in a file.
   WHERE is `code`: a function of the library is written over, and then its head wiped out; or `data`: its data is
   made to run. The code does nothing but sleep: it calls Sleep(INFINITE). Prints its pid. Compile:
   x86_64-w64-mingw32-gcc -O1 -o stomp.exe stomp.c */
#include <windows.h>
#include <stdio.h>
#include <string.h>

static char *data_of(char *library)
{
	IMAGE_NT_HEADERS *head = (IMAGE_NT_HEADERS *)(library + ((IMAGE_DOS_HEADER *)library)->e_lfanew);
	IMAGE_SECTION_HEADER *section = IMAGE_FIRST_SECTION(head);
	while (section->Characteristics & IMAGE_SCN_MEM_EXECUTE)
		section++;
	return library + section->VirtualAddress;
}

int main(int count, char **words)
{
	if (count < 2)
		return 2;
	/* sub rsp, 40; mov ecx, -1; mov rax, Sleep; call rax; jmp $ */
	unsigned char code[] = { 0x48, 0x83, 0xec, 0x28, 0xb9, 0xff, 0xff, 0xff, 0xff, 0x48, 0xb8,
		0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xd0, 0xeb, 0xfe };
	void *sleep = (void *)GetProcAddress(GetModuleHandleA("kernel32.dll"), "Sleep");
	memcpy(code + 11, &sleep, sizeof sleep);
	HMODULE library = LoadLibraryA("version.dll");
	int is_code = !strcmp(words[1], "code");
	char *place = is_code ? (char *)GetProcAddress(library, "VerQueryValueA") : data_of((char *)library);
	DWORD before;
	if (!VirtualProtect(place, sizeof code, PAGE_EXECUTE_READWRITE, &before))
		return 1;
	memcpy(place, code, sizeof code);
	if (is_code) {
		VirtualProtect(place, sizeof code, before, &before);
		VirtualProtect(library, 4096, PAGE_READWRITE, &before);
		memset(library, 0, 4096);
		VirtualProtect(library, 4096, before, &before);
	}
	CreateThread(NULL, 0, (LPTHREAD_START_ROUTINE)place, NULL, 0, NULL);
	printf("%lu\n", GetCurrentProcessId());
	fflush(stdout);
	Sleep(INFINITE);
}
