/* Puts code into memory of nobody that is readable, writable and executable, and lets the first thread
 * run it. */
#include "inject.h"

int main(int count, char **arguments) {
    pid_t pid = victim(count, arguments);
    struct user_regs_struct registers = attach(pid);
    long at = memory(pid, registers, 0, PROT_READ | PROT_WRITE | PROT_EXEC);
    put(pid, at, SLEEP, sizeof SLEEP);
    go(pid, registers, at);
    stay(pid);
}
