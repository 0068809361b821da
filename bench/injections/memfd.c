/* Programs and libraries that live in memory only.
 *   memfd exec|exec-sealed NAME    runs /bin/sleep out of such a file, under that name
 *   memfd dlopen                   loads a library out of such a file */
#include "inject.h"
#include <link.h>

static int copy(const char *path, unsigned flags) {
    int from = open(path, O_RDONLY | O_CLOEXEC), to = memfd_create("payload", flags);
    char bytes[65536];
    ssize_t length;
    if (from < 0 || to < 0)
        fail(path);
    while ((length = read(from, bytes, sizeof bytes)) > 0)
        if (write(to, bytes, length) != length)
            fail("copy");
    return to;
}

static void run(int is_sealed, char *name) {
    int file = copy("/bin/sleep", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if (is_sealed && fcntl(file, F_ADD_SEALS, seals) < 0)
        fail("seal");
    char *arguments[] = {name, "1000000", NULL};
    fexecve(file, arguments, environ);
    _exit(127);
}

static void load(void) {
    struct link_map *map;
    char path[64];
    /* A library that is there for certain, a second time. */
    if (dlinfo(dlopen("libm.so.6", RTLD_NOW), RTLD_DI_LINKMAP, &map) < 0)
        fail("libm.so.6");
    snprintf(path, sizeof path, "/proc/self/fd/%d", copy(map->l_name, 0));
    if (!dlopen(path, RTLD_NOW))
        _exit(127);
    for (;;)
        pause();
}

int main(int count, char **arguments) {
    end_with_parent(SIGTERM);
    pid_t pid = count > 1 ? fork() : -1;
    if (pid == 0) {
        end_with_parent(SIGKILL);
        if (!strcmp(arguments[1], "dlopen"))
            load();
        run(!strcmp(arguments[1], "exec-sealed"), count > 2 ? arguments[2] : "sleep");
    }
    wait_until_asleep(pid);
    stay(pid);
}
