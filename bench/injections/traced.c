/* Holds a process as a debugger does, and changes nothing in it. */
#include "inject.h"

int main(int count, char **arguments) {
    pid_t pid = victim(count, arguments);
    if (ptrace(PTRACE_SEIZE, pid, 0, 0) < 0)
        fail("seize");
    stay(pid);
}
