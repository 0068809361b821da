/* Starts a further thread in memory of nobody; the threads that were there go on as before. */
#include "inject.h"

/* syscall; test eax, eax; jz child; int3; child: */
static const unsigned char CLONE[] = {0x0f, 0x05, 0x85, 0xc0, 0x74, 0x01, 0xcc};

int main(int count, char **arguments) {
    pid_t pid = victim(count, arguments);
    struct user_regs_struct before = attach(pid), registers = before;
    long at = memory(pid, before, 0, PROT_READ | PROT_WRITE);
    long stack = memory(pid, before, 0, PROT_READ | PROT_WRITE);
    put(pid, at, CLONE, sizeof CLONE);
    put(pid, at + sizeof CLONE, SLEEP, sizeof SLEEP);
    call(pid, before, SYS_mprotect, at, 4096, PROT_READ | PROT_EXEC, 0);
    registers.rip = at;
    registers.orig_rax = -1;
    registers.rax = SYS_clone;
    /* CLONE_VM | FS | FILES | SIGHAND | THREAD | SYSVSEM */
    registers.rdi = 0x50f00;
    registers.rsi = stack + 4096;
    registers.rdx = registers.r10 = registers.r8 = 0;
    if (ptrace(PTRACE_SETREGS, pid, 0, &registers) < 0 || ptrace(PTRACE_CONT, pid, 0, 0) < 0 ||
        waitpid(pid, NULL, 0) < 0)
        fail("start a thread");
    detach(pid, before);
    wait_until_asleep(pid);
    stay(pid);
}
