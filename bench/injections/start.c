/* Starts a program, waits until it sleeps, then runs a command of the shell.
 *   start COMMAND PROGRAM ARGUMENTS... */
#include "inject.h"

int main(int count, char **arguments) {
    if (count < 3)
        return 2;
    pid_t pid = start(arguments + 2);
    if (system(arguments[1]) != 0)
        fail(arguments[1]);
    stay(pid);
}
