/* Writes code over the beginning of the program, and lets it run that. */
#include "inject.h"

int main(int count, char **arguments) {
    pid_t pid = victim(count, arguments);
    unsigned long entry = 0, pair[2];
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/auxv", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    while (read(file, pair, sizeof pair) == sizeof pair)
        if (pair[0] == AT_ENTRY)
            entry = pair[1];
    close(file);
    struct user_regs_struct registers = attach(pid);
    put(pid, entry, SLEEP, sizeof SLEEP);
    go(pid, registers, entry);
    stay(pid);
}
