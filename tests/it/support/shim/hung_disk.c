/* A disk that hangs: fsync(2) and fdatasync(2) block while the file in ARAUTO_SHIM_HANG exists.
 * A call that blocks creates the file in ARAUTO_SHIM_HANGS. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_while_hung(void)
{
    const char *hang = getenv("ARAUTO_SHIM_HANG");
    const char *mark = getenv("ARAUTO_SHIM_HANGS");
    while (hang && access(hang, F_OK) == 0) {
        if (mark) {
            int fd = open(mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
            if (fd >= 0)
                close(fd);
            mark = NULL;
        }
        usleep(5000);
    }
}

int fsync(int fd)
{
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_while_hung();
    return next(fd);
}

int fdatasync(int fd)
{
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_while_hung();
    return next(fd);
}
