/* The server end of an outbound pipe, as Win32 programs are written: one instance, and each
 * line of stdin (UTF-8) is one message without a terminator, `fim` the last.
 *
 *   escritor [-c CLIENTS] PIPE
 *     -c  serves so many readers, one after another, each with the lines that follow */
#include "comum.h"

/* One line without its LF; FALSE at the end of stdin. */
static BOOL read_line(char *line, DWORD size, DWORD *length) {
    DWORD count;
    for (*length = 0; *length < size; (*length)++) {
        if (!ReadFile(GetStdHandle(STD_INPUT_HANDLE), line + *length, 1, &count, NULL) || count == 0)
            return *length > 0;
        if (line[*length] == '\n')
            return TRUE;
    }
    return TRUE;
}

int _tmain(int argc, TCHAR **argv) {
    static char line[65536];
    static WCHAR wide[65536];
    const TCHAR *given[1] = {NULL};
    int at = first_operand(argc, argv, _T(""), _T("c"), given);
    if (at + 1 != argc) {
        err("escritor [-c CLIENTS] PIPE\n");
        return USAGE;
    }
    DWORD clients = given[0] ? number(given[0]) : 1, length, done;
    HANDLE pipe = CreateNamedPipe(argv[at], PIPE_ACCESS_OUTBOUND | FILE_FLAG_FIRST_PIPE_INSTANCE,
                                  PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT, 1, 4096,
                                  4096, 5000, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        return failed("create", GetLastError());
    while (clients--) {
        if (!ConnectNamedPipe(pipe, NULL) && GetLastError() != ERROR_PIPE_CONNECTED)
            return failed("connect", GetLastError());
        err("connected\n");
        BOOL over = FALSE;
        while (!over && read_line(line, sizeof line, &length)) {
            int units = MultiByteToWideChar(CP_UTF8, 0, line, (int)length, wide, 65536);
            over = length == 3 && memcmp(line, "fim", 3) == 0;
#ifdef UNICODE
            const void *text = wide;
            length = (DWORD)units * sizeof(WCHAR);
#else
            const void *text = line;
            length = (DWORD)WideCharToMultiByte(CP_ACP, 0, wide, units, line, sizeof line, NULL, NULL);
#endif
            if (!WriteFile(pipe, text, length, &done, NULL))
                return failed("write", GetLastError());
        }
        /* DisconnectNamedPipe throws away what the client has not read. */
        if (!FlushFileBuffers(pipe))
            return failed("flush", GetLastError());
        DisconnectNamedPipe(pipe);
        err("disconnected\n");
    }
    return ENDED_WELL;
}
