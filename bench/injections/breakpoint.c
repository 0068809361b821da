/* Leaves a breakpoint (int3) behind, as a debugger does that has ended without taking it back. */
#include "inject.h"

int main(int count, char **arguments) {
    static const unsigned char BREAKPOINT[] = {0xcc};
    pid_t pid = victim(count, arguments);
    unsigned long at = text_of(pid, "/libc.so.6").start + 4096;
    struct user_regs_struct registers = attach(pid);
    if ((ptrace(PTRACE_PEEKTEXT, pid, at, 0) & 0xff) == BREAKPOINT[0])
        at += 64;
    put(pid, at, BREAKPOINT, sizeof BREAKPOINT);
    detach(pid, registers);
    stay(pid);
}
