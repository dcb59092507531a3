/* A plain reader of an outbound pipe, as Win32 programs are written: it waits until the
 * pipe is there, opens it to read only, and prints what each ReadFile brings, until the
 * word `fim` or the end of the pipe.
 *
 *   leitor [-m] [-e] [-z] [-b BYTES] [-p MS] [-w MS] PIPE
 *     -m  message read mode, each message whole (else byte mode, as a plain reader: two
 *         messages that wait together come as one)
 *     -e  reads on after `fim`, until the pipe ends; anything between is wrong
 *     -z  an empty message does not end it
 *     -b  the size of its buffer; -p  how long it pauses before each read
 *     -w  how long it waits for the pipe (30000) */
#include "comum.h"

int _tmain(int argc, TCHAR **argv) {
    const TCHAR *given[6] = {NULL};
    int at = first_operand(argc, argv, _T("mez"), _T("bpw"), given);
    if (at + 1 != argc) {
        err("leitor [-m] [-e] [-z] [-b BYTES] [-p MS] [-w MS] PIPE\n");
        return USAGE;
    }
    DWORD size = given[0] ? number(given[0]) : 1024;
    DWORD pause = given[1] ? number(given[1]) : 0;
    DWORD wait = given[2] ? number(given[2]) : 30000;
    BOOL by_messages = given[3] != NULL, to_the_end = given[4] != NULL, empty_too = given[5] != NULL;

    /* To choose its read mode, a client that only reads needs the right to write
     * attributes besides; who asks for GENERIC_READ alone is left in byte mode. */
    DWORD access = by_messages ? GENERIC_READ | FILE_WRITE_ATTRIBUTES : GENERIC_READ;
    HANDLE pipe = open_pipe(argv[at], access, wait);
    if (pipe == INVALID_HANDLE_VALUE)
        return failed("open", GetLastError());
    if (by_messages && !read_by_messages(pipe))
        return failed("message read mode", GetLastError());
    err("open\n");

    struct message message = {0};
    message.bytes = HeapAlloc(GetProcessHeap(), 0, size);
    BOOL over = FALSE;
    for (;;) {
        Sleep(pause);
        BOOL read = by_messages ? read_message(pipe, size, &message)
                                : ReadFile(pipe, message.bytes, size, &message.length, NULL);
        if (!read) {
            int end = failed("read", GetLastError());
            /* After the last word it is all the same how the server goes. */
            return over && (end == PIPE_ENDED || end == DISCONNECTED) ? ENDED_WELL : end;
        }
        if (over)
            return err("something came after fim\n"), WRONG;
        out("%lu ", message.length);
        put_text(STD_OUTPUT_HANDLE, message.bytes, message.length);
        out("\n");
        if (message.length == 0 && !empty_too)
            return err("an empty message\n"), EMPTY_MESSAGE;
        if (is_word(message.bytes, message.length, _T("fim"))) {
            if (!to_the_end)
                return ENDED_WELL;
            over = TRUE;
        }
    }
}
