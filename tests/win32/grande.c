/* Sends one message of so many bytes, and checks that the reply is the same text, or the
 * same in upper case: whole, as one message, with nothing behind it.
 *
 *   grande [-z] [-b BYTES] [-w MS] PIPE BYTES
 *     -z  the last character is a NUL, and comes back as one
 *     -b  the size of its buffer (4096); -w  how long it waits for the pipe (30000) */
#include "comum.h"

int _tmain(int argc, TCHAR **argv) {
    const TCHAR *given[3] = {NULL};
    int at = first_operand(argc, argv, _T("z"), _T("bw"), given);
    if (at + 2 != argc) {
        err("grande [-z] [-b BYTES] [-w MS] PIPE BYTES\n");
        return USAGE;
    }
    DWORD size = given[0] ? number(given[0]) : 4096;
    DWORD units = number(argv[at + 1]) / sizeof(TCHAR), length = units * sizeof(TCHAR), done, i;
    TCHAR *text = HeapAlloc(GetProcessHeap(), 0, length + sizeof(TCHAR));
    for (i = 0; i < units; i++) /* no period that a buffer's size could hide */
        text[i] = (TCHAR)('a' + (i + i / 26 + i / 4093) % 26);
    if (given[2] && units)
        text[units - 1] = 0;

    HANDLE pipe = open_pipe(argv[at], GENERIC_READ | GENERIC_WRITE, given[1] ? number(given[1]) : 30000);
    if (pipe == INVALID_HANDLE_VALUE)
        return failed("open", GetLastError());
    if (!read_by_messages(pipe))
        return failed("message read mode", GetLastError());
    if (!WriteFile(pipe, text, length, &done, NULL))
        return failed("write", GetLastError());
    if (done != length)
        return err("%lu of %lu bytes were written\n", done, length), WRONG;

    struct message reply = {0};
    if (!read_message(pipe, size, &reply))
        return failed("read", GetLastError());
    const TCHAR *back = (const TCHAR *)reply.bytes;
    BOOL same = reply.length == length, upper = same;
    for (i = 0; (same || upper) && i < units; i++) {
        same = same && back[i] == text[i];
        upper = upper && back[i] == (text[i] ? text[i] - 'a' + 'A' : 0);
    }
    DWORD waiting = 0;
    if (!PeekNamedPipe(pipe, NULL, 0, NULL, &waiting, NULL))
        return failed("peek", GetLastError());
    out("%lu bytes sent, %lu came back in %lu parts: %s; %lu wait\n", length, reply.length,
        reply.parts, same ? "the same" : upper ? "in upper case" : "WRONG", waiting);
    return (same || upper) && waiting == 0 ? ENDED_WELL : WRONG;
}
