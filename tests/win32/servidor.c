/* The server end of a duplex pipe, as Win32 programs are written: one client after another
 * by one instance, and the same reply to each message.
 *
 *   servidor [-e] [-u] [-c CLIENTS] PIPE [REPLY]
 *     REPLY is sent with its terminating NUL ("Default answer from server")
 *     -e  the reply is the request; -u  the request in upper case
 *     -c  ends after so many clients */
#include "comum.h"

int _tmain(int argc, TCHAR **argv) {
    const TCHAR *given[3] = {NULL};
    int at = first_operand(argc, argv, _T("eu"), _T("c"), given);
    if (at >= argc || at + 2 < argc) {
        err("servidor [-e] [-u] [-c CLIENTS] PIPE [REPLY]\n");
        return USAGE;
    }
    DWORD clients = given[0] ? number(given[0]) : INFINITE, done;
    const TCHAR *fixed = at + 1 < argc ? argv[at + 1] : _T("Default answer from server");
    struct message request = {0};
    HANDLE pipe = CreateNamedPipe(argv[at], PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE,
                                  PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT, 1, 4096,
                                  4096, 5000, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        return failed("create", GetLastError());
    err("ready\n");
    for (; clients; clients -= clients != INFINITE) {
        /* ERROR_NO_DATA: this client came and went before it was waited for. */
        if (!ConnectNamedPipe(pipe, NULL) && GetLastError() != ERROR_PIPE_CONNECTED &&
            GetLastError() != ERROR_NO_DATA)
            return failed("connect", GetLastError());
        BOOL served = TRUE;
        while (served && read_message(pipe, 4096, &request)) {
            if (given[2]) {
                DWORD units = request.length / sizeof(TCHAR), i;
                TCHAR *text = (TCHAR *)request.bytes;
                for (i = 0; i < units; i++)
                    if (text[i] >= 'a' && text[i] <= 'z')
                        text[i] = (TCHAR)(text[i] - 'a' + 'A');
            }
            if (given[1] || given[2])
                served = WriteFile(pipe, request.bytes, request.length, &done, NULL);
            else
                served = WriteFile(pipe, fixed, (DWORD)((_tcslen(fixed) + 1) * sizeof(TCHAR)), &done, NULL);
        }
        DisconnectNamedPipe(pipe);
    }
    return ENDED_WELL;
}
