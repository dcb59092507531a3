/* Opens the pipe and never reads: looks at it until it ends or the time is over, and tells
 * how much waited unread and how the pipe ended.
 *
 *   mudo [-r] [-q TIMES] [-w MS] PIPE [SECONDS]
 *     -r  opens to read only
 *     -q  first sends so many requests, whose replies nobody reads
 *     -w  how long it waits for the pipe (30000); without SECONDS until it is killed */
#include "comum.h"

int _tmain(int argc, TCHAR **argv) {
    const TCHAR *given[3] = {NULL};
    int at = first_operand(argc, argv, _T("r"), _T("qw"), given);
    if (at >= argc || at + 2 < argc) {
        err("mudo [-r] [-q TIMES] [-w MS] PIPE [SECONDS]\n");
        return USAGE;
    }
    DWORD requests = given[0] ? number(given[0]) : 0, done;
    DWORD access = given[2] ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE;
    HANDLE pipe = open_pipe(argv[at], access, given[1] ? number(given[1]) : 30000);
    if (pipe == INVALID_HANDLE_VALUE)
        return failed("open", GetLastError());
    out("open\n");
    while (requests--)
        if (!WriteFile(pipe, _T("mudo"), 4 * sizeof(TCHAR), &done, NULL))
            return failed("write", GetLastError());

    ULONGLONG start = GetTickCount64(), now = start;
    ULONGLONG until = at + 1 < argc ? start + 1000ull * number(argv[at + 1]) : (ULONGLONG)-1;
    DWORD waiting = 0, most = 0, error = 0;
    while (!error && now < until) {
        Sleep(10);
        if (!PeekNamedPipe(pipe, NULL, 0, NULL, &waiting, NULL))
            error = GetLastError();
        else if (waiting > most)
            most = waiting;
        now = GetTickCount64();
    }
    out("%s after %lu ms, %lu bytes were never read\n",
        !error                              ? "still open"
        : error == ERROR_BROKEN_PIPE        ? "closed by the server"
        : error == ERROR_PIPE_NOT_CONNECTED ? "disconnected by the server"
                                            : "ended",
        (DWORD)(now - start), most);
    return error ? failed("peek", error) : ENDED_WELL;
}
