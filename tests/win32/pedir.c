/* A duplex client, as Win32 programs are written: it opens the pipe to read and to write,
 * reads by messages, sends each text with its terminating NUL as one message, and reads
 * the reply until there is no more data.
 *
 *   pedir [-t] [-n] [-b BYTES] [-w MS] PIPE TEXT...
 *     -t  with TransactNamedPipe instead of WriteFile and ReadFile
 *     -n  without the terminating NUL
 *     -b  the size of its buffer; -w  how long it waits for the pipe (30000) */
#include "comum.h"

static struct message reply;

/* The first part of the reply comes with the transaction, the rest by ReadFile. */
static BOOL transact(HANDLE pipe, TCHAR *text, DWORD length, DWORD size) {
    DWORD count = 0;
    struct message rest = {0};
    BOOL whole = TransactNamedPipe(pipe, text, length, reply.bytes, size, &count, NULL);
    if (!whole && GetLastError() != ERROR_MORE_DATA)
        return FALSE;
    reply.length = count;
    reply.parts = 1;
    if (whole)
        return TRUE;
    if (!read_message(pipe, size, &rest))
        return FALSE;
    reply.bytes = HeapReAlloc(GetProcessHeap(), 0, reply.bytes, (SIZE_T)count + rest.length);
    memcpy(reply.bytes + count, rest.bytes, rest.length);
    HeapFree(GetProcessHeap(), 0, rest.bytes);
    reply.length += rest.length;
    reply.parts += rest.parts;
    return TRUE;
}

int _tmain(int argc, TCHAR **argv) {
    const TCHAR *given[4] = {NULL};
    int at = first_operand(argc, argv, _T("tn"), _T("bw"), given);
    if (at + 1 >= argc) {
        err("pedir [-t] [-n] [-b BYTES] [-w MS] PIPE TEXT...\n");
        return USAGE;
    }
    DWORD size = given[0] ? number(given[0]) : 512;
    HANDLE pipe = open_pipe(argv[at], GENERIC_READ | GENERIC_WRITE, given[1] ? number(given[1]) : 30000);
    if (pipe == INVALID_HANDLE_VALUE)
        return failed("open", GetLastError());
    if (!read_by_messages(pipe))
        return failed("message read mode", GetLastError());

    while (++at < argc) {
        DWORD done, length = (DWORD)((_tcslen(argv[at]) + (given[3] ? 0 : 1)) * sizeof(TCHAR));
        if (given[2]) {
            reply.bytes = reply.bytes ? HeapReAlloc(GetProcessHeap(), 0, reply.bytes, size)
                                      : HeapAlloc(GetProcessHeap(), 0, size);
            if (!transact(pipe, argv[at], length, size))
                return failed("transact", GetLastError());
        } else {
            if (!WriteFile(pipe, argv[at], length, &done, NULL))
                return failed("write", GetLastError());
            if (!read_message(pipe, size, &reply))
                return failed("read", GetLastError());
        }
        /* A NUL at the end is part of the reply, and is not printed. */
        DWORD shown = reply.length;
        if (shown >= sizeof(TCHAR) && ((TCHAR *)reply.bytes)[shown / sizeof(TCHAR) - 1] == 0)
            shown -= sizeof(TCHAR);
        out("%lu bytes, %lu parts%s: ", reply.length, reply.parts, shown < reply.length ? ", NUL" : "");
        put_text(STD_OUTPUT_HANDLE, reply.bytes, shown);
        out("\n");
    }
    return ENDED_WELL;
}
