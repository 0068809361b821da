/* The same, but the memory is never writable and executable at once. */
#include "inject.h"

int main(int count, char **arguments) {
    pid_t pid = victim(count, arguments);
    struct user_regs_struct registers = attach(pid);
    long at = memory(pid, registers, 0, PROT_READ | PROT_WRITE);
    put(pid, at, SLEEP, sizeof SLEEP);
    call(pid, registers, SYS_mprotect, at, 4096, PROT_READ | PROT_EXEC, 0);
    go(pid, registers, at);
    stay(pid);
}
