/* What does a client meet at a pipe whose instances may all be taken?
 *
 *   busy [-r] [-w MS] [-h MS] PIPE
 *     without -w  opens it and waits for nothing: tells whether it was busy
 *     -w  asks WaitNamedPipe once, with this time-out (0: the server's default), tells how
 *         long that took and what it said, and then opens
 *     -h  keeps what it opened so long; -r  opens to read only */
#include "comum.h"

int _tmain(int argc, TCHAR **argv) {
    const TCHAR *given[3] = {NULL};
    int at = first_operand(argc, argv, _T("r"), _T("wh"), given);
    if (at + 1 != argc) {
        err("busy [-r] [-w MS] [-h MS] PIPE\n");
        return USAGE;
    }
    if (given[0]) {
        ULONGLONG start = GetTickCount64();
        BOOL there = WaitNamedPipe(argv[at], number(given[0]));
        DWORD error = there ? 0 : GetLastError();
        out("%s after %lu ms\n", there ? "free" : "gave up", (DWORD)(GetTickCount64() - start));
        if (!there)
            return failed("WaitNamedPipe", error);
    }
    DWORD access = given[2] ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE;
    HANDLE pipe = CreateFile(argv[at], access, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        return failed("open", GetLastError());
    out("open\n");
    if (given[1])
        Sleep(number(given[1]));
    return ENDED_WELL;
}
