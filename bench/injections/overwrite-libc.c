/* Writes code over the C library, there where the victim waits, and lets it run that. */
#include "inject.h"

int main(int count, char **arguments) {
    pid_t pid = victim(count, arguments);
    struct user_regs_struct registers = attach(pid);
    put(pid, registers.rip, SLEEP, sizeof SLEEP);
    go(pid, registers, registers.rip);
    stay(pid);
}
