/* Puts code into memory of nobody that is never writable and executable at once, writes to no text, and
 * calls the kernel as any program does, through the C library. */
#include "inject.h"

int main(int count, char **arguments) {
    pid_t pid = victim(count, arguments);
    /* again: mov rax, pause; call rax; jmp again */
    unsigned char code[] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xd0, 0xeb, 0xf2};
    unsigned long of_victim = text_of(pid, "/libc.so.6").start;
    unsigned long pause_there = (unsigned long)pause - text_of(getpid(), "/libc.so.6").start + of_victim;
    memcpy(code + 2, &pause_there, sizeof pause_there);
    struct user_regs_struct registers = attach(pid);
    long at = memory(pid, registers, 0, PROT_READ | PROT_WRITE);
    put(pid, at, code, sizeof code);
    call(pid, registers, SYS_mprotect, at, 4096, PROT_READ | PROT_EXEC, 0);
    go(pid, registers, at);
    stay(pid);
}
