/* Writes to the C library and takes it back: as a hook that was removed leaves it, and a debugger. */
#include "inject.h"

int main(int count, char **arguments) {
    pid_t pid = victim(count, arguments);
    unsigned long at = text_of(pid, "/libc.so.6").start + 4096;
    struct user_regs_struct registers = attach(pid);
    long word = ptrace(PTRACE_PEEKTEXT, pid, at, 0);
    put(pid, at, SLEEP, sizeof word);
    put(pid, at, &word, sizeof word);
    detach(pid, registers);
    stay(pid);
}
