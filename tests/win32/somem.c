/* Connects and vanishes, again and again, as clients do that die on arrival: one round in
 * four waits for nothing, one waits for its turn, one asks something and never reads the
 * answer, one asks and lingers for a moment.
 *
 *   somem [-r] [-w MS] PIPE [TIMES]
 *     -r  opens to read only, and asks nothing
 *     -w  how long a round that waits may wait (30000); TIMES is 200 */
#include "comum.h"

int _tmain(int argc, TCHAR **argv) {
    const TCHAR *given[2] = {NULL};
    int at = first_operand(argc, argv, _T("r"), _T("w"), given);
    if (at >= argc || at + 2 < argc) {
        err("somem [-r] [-w MS] PIPE [TIMES]\n");
        return USAGE;
    }
    DWORD wait = given[0] ? number(given[0]) : 30000, times = at + 1 < argc ? number(argv[at + 1]) : 200;
    DWORD access = given[1] ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE;
    DWORD connected = 0, busy = 0, absent = 0, round, done;
    for (round = 0; round < times; round++) {
        BOOL waits = round % 4 != 0;
        HANDLE pipe = open_pipe(argv[at], access, waits ? wait : 0);
        if (pipe == INVALID_HANDLE_VALUE) {
            DWORD error = GetLastError();
            if (!waits && error == ERROR_PIPE_BUSY)
                busy++;
            else if (!waits && error == ERROR_FILE_NOT_FOUND)
                absent++; /* the one instance was between two clients */
            else
                return failed("open", error);
            continue;
        }
        connected++;
        if (!given[1] && round % 4 >= 2)
            WriteFile(pipe, _T("somem"), 5 * sizeof(TCHAR), &done, NULL);
        if (round % 4 == 3)
            Sleep(1);
        CloseHandle(pipe);
    }
    out("%lu times: %lu connected and vanished, %lu found it busy, %lu found none\n", times,
        connected, busy, absent);
    return ENDED_WELL;
}
