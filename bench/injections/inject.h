/* What all injectors need: a child of their own that sleeps, system calls made in its name, and a
 * payload that only sleeps as well. Nothing here acts on a process that it has not started itself. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the payloads are for x86_64"
#endif

/* again: mov eax, SYS_pause; syscall; jmp again */
static const unsigned char SLEEP[] = {0xb8, 0x22, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7};

/* A line of /proc/PID/maps. */
struct region {
    unsigned long start, end, offset, inode;
    char rights[5], path[4096];
};

static void fail(const char *what) {
    printf("cannot: %s: %s\n", what, strerror(errno));
    exit(1);
}

static char state_of(pid_t pid) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0)
        return 0;
    text[length] = 0;
    char *name_end = strrchr(text, ')');
    return name_end && name_end[1] ? name_end[2] : 0;
}

/* Waits until it sleeps, and goes on sleeping. */
static void wait_until_asleep(pid_t pid) {
    for (int asleep = 0, tries = 0; asleep < 40; tries++) {
        char state = state_of(pid);
        if (!state || state == 'Z' || tries > 4000) {
            errno = ESRCH;
            fail("start the victim");
        }
        asleep = state == 'S' ? asleep + 1 : 0;
        usleep(5000);
    }
}

/* Ends with whoever started us, as our child does with us. */
static void end_with_parent(int signal) {
    prctl(PR_SET_PDEATHSIG, signal);
}

static pid_t start(char **program) {
    end_with_parent(SIGTERM);
    pid_t pid = fork();
    if (pid == 0) {
        end_with_parent(SIGKILL);
        int nowhere = open("/dev/null", O_RDWR);
        dup2(nowhere, 0);
        dup2(nowhere, 1);
        execvp(program[0], program);
        _exit(127);
    }
    wait_until_asleep(pid);
    return pid;
}

/* The victim: what the command line says, or a sleep. */
static pid_t victim(int count, char **arguments) {
    static char *sleeping[] = {"sleep", "1000000", NULL};
    return start(count > 1 ? arguments + 1 : sleeping);
}

static void stay(pid_t pid) {
    printf("%d\n", pid);
    fflush(stdout);
    for (;;)
        pause();
}

/* The next region whose path ends so; 0 when there is none. Begin with a `file` that is NULL. */
static int next_region(pid_t pid, FILE **file, const char *ending, struct region *found) {
    char path[64], line[4400];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    if (!*file && !(*file = fopen(path, "re")))
        fail(path);
    while (fgets(line, sizeof line, *file)) {
        found->path[0] = 0;
        sscanf(line, "%lx-%lx %4s %lx %*s %lu %4095[^\n]", &found->start, &found->end, found->rights,
               &found->offset, &found->inode, found->path);
        size_t length = strlen(found->path), wanted = strlen(ending);
        if (length >= wanted && !strcmp(found->path + length - wanted, ending))
            return 1;
    }
    fclose(*file);
    *file = NULL;
    return 0;
}

static struct region text_of(pid_t pid, const char *ending) {
    struct region found;
    FILE *file = NULL;
    while (next_region(pid, &file, ending, &found))
        if (found.rights[2] == 'x') {
            fclose(file);
            return found;
        }
    errno = ENOENT;
    fail(ending);
    exit(1);
}

static struct user_regs_struct attach(pid_t pid) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_ATTACH, pid, 0, 0) < 0 || waitpid(pid, NULL, 0) < 0)
        fail("attach");
    if (ptrace(PTRACE_GETREGS, pid, 0, &registers) < 0)
        fail("read registers");
    return registers;
}

/* Writes as a debugger does, whatever the rights of the memory are. */
static void put(pid_t pid, unsigned long at, const void *bytes, size_t length) {
    for (size_t done = 0; done < length; done += sizeof(long)) {
        long word = ptrace(PTRACE_PEEKTEXT, pid, at + done, 0);
        size_t rest = length - done;
        memcpy(&word, (const char *)bytes + done, rest < sizeof word ? rest : sizeof word);
        if (ptrace(PTRACE_POKETEXT, pid, at + done, word) < 0)
            fail("write");
    }
}

/* A system call in the name of the victim, which waits in one: the instruction is there already. */
static long call(pid_t pid, struct user_regs_struct registers, long number, long a, long b, long c,
                 long d) {
    registers.rip -= 2;
    registers.rax = number;
    registers.orig_rax = -1;
    registers.rdi = a;
    registers.rsi = b;
    registers.rdx = c;
    registers.r10 = d;
    registers.r8 = -1;
    registers.r9 = 0;
    if (ptrace(PTRACE_SETREGS, pid, 0, &registers) < 0 ||
        ptrace(PTRACE_SINGLESTEP, pid, 0, 0) < 0 || waitpid(pid, NULL, 0) < 0 ||
        ptrace(PTRACE_GETREGS, pid, 0, &registers) < 0)
        fail("make a system call");
    if ((long)registers.rax < 0 && (long)registers.rax > -4096) {
        errno = -(long)registers.rax;
        fail("a system call of the victim");
    }
    return registers.rax;
}

/* Memory of nobody in the victim, at `at` if that is not 0. */
static long memory(pid_t pid, struct user_regs_struct registers, long at, long rights) {
    long flags = MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED : 0);
    return call(pid, registers, SYS_mmap, at, 4096, rights, flags);
}

static void detach(pid_t pid, struct user_regs_struct registers) {
    if (ptrace(PTRACE_SETREGS, pid, 0, &registers) < 0 || ptrace(PTRACE_DETACH, pid, 0, 0) < 0)
        fail("detach");
}

/* Lets it go on from there, with room on its stack. */
static void go(pid_t pid, struct user_regs_struct registers, unsigned long at) {
    registers.rip = at;
    registers.rsp = (registers.rsp - 1024) & ~15UL;
    registers.orig_rax = -1;
    detach(pid, registers);
    wait_until_asleep(pid);
}
