/* A library that stays where it is loaded: by `rundll32 library.dll,stay` and by `regsvr32 /s library.dll`.
   Compile: x86_64-w64-mingw32-gcc -O1 -shared -o library.dll library.c */
#include <windows.h>

__declspec(dllexport) void CALLBACK stay(HWND window, HINSTANCE program, LPSTR line, int show)
{
	(void)window, (void)program, (void)line, (void)show;
	Sleep(INFINITE);
}

__declspec(dllexport) HRESULT WINAPI DllRegisterServer(void)
{
	Sleep(INFINITE);
	return S_OK;
}
