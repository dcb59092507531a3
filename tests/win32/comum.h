/* What the programs of this folder share. Each is built twice, for ANSI and for UNICODE:
 * TCHAR is what goes through the pipe. They print UTF-8 with WriteFile and never through
 * the C library, which would hold lines back and turn LF into CR LF. */
#include <windows.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <tchar.h>

/* How a program ends, so that a script can tell one end from another. */
enum {
    ENDED_WELL = 0,
    USAGE = 2,
    PIPE_ENDED = 3,    /* ERROR_BROKEN_PIPE: the other side closed */
    DISCONNECTED = 4,  /* ERROR_PIPE_NOT_CONNECTED: DisconnectNamedPipe */
    EMPTY_MESSAGE = 5, /* a message without a byte */
    NO_PIPE = 6,       /* ERROR_FILE_NOT_FOUND: nobody made it */
    BUSY = 7,          /* ERROR_PIPE_BUSY: every instance has its client */
    TIMED_OUT = 8,     /* WaitNamedPipe gave up: ERROR_SEM_TIMEOUT */
    WRONG = 9,         /* the answer is not what it should be */
    FAILED = 10,       /* any other error; its number is on stderr */
};

static inline void put_bytes(DWORD to, const char *bytes, int length) {
    DWORD done;
    if (length > 0)
        WriteFile(GetStdHandle(to), bytes, (DWORD)length, &done, NULL);
}

static inline void put(DWORD to, const char *format, ...) {
    char line[512];
    va_list values;
    va_start(values, format);
    int length = _vsnprintf(line, sizeof line, format, values);
    va_end(values);
    put_bytes(to, line, length < 0 ? (int)sizeof line : length);
}

#define out(...) put(STD_OUTPUT_HANDLE, __VA_ARGS__)
#define err(...) put(STD_ERROR_HANDLE, __VA_ARGS__)

/* `bytes` of TCHARs, as UTF-8. */
static inline void put_text(DWORD to, const void *text, DWORD bytes) {
    HANDLE heap = GetProcessHeap();
    int units = (int)(bytes / sizeof(TCHAR));
    if (units == 0)
        return;
#ifdef UNICODE
    const WCHAR *wide = text;
#else
    WCHAR *wide = HeapAlloc(heap, 0, (SIZE_T)units * sizeof(WCHAR));
    units = MultiByteToWideChar(CP_ACP, 0, text, units, wide, units);
#endif
    int length = WideCharToMultiByte(CP_UTF8, 0, wide, units, NULL, 0, NULL, NULL);
    char *utf8 = HeapAlloc(heap, 0, (SIZE_T)length);
    WideCharToMultiByte(CP_UTF8, 0, wide, units, utf8, length, NULL, NULL);
    put_bytes(to, utf8, length);
    HeapFree(heap, 0, utf8);
#ifndef UNICODE
    HeapFree(heap, 0, wide);
#endif
}

/* Says what failed and why, and how the program is to end for that. */
static inline int failed(const char *what, DWORD error) {
    err("%s: error %lu\n", what, error);
    switch (error) {
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA: /* what a writer is told of the same thing */
        return PIPE_ENDED;
    case ERROR_PIPE_NOT_CONNECTED:
        return DISCONNECTED;
    case ERROR_FILE_NOT_FOUND:
        return NO_PIPE;
    case ERROR_PIPE_BUSY:
        return BUSY;
    case ERROR_SEM_TIMEOUT:
        return TIMED_OUT;
    default:
        return FAILED;
    }
}

/* Opens the pipe as soon as there is a free instance, within `wait` ms. WaitNamedPipe
 * returns at once while no instance exists at all, and what it promised may be taken by
 * somebody else before CreateFile: so both go round in a loop. */
static inline HANDLE open_pipe(const TCHAR *name, DWORD access, DWORD wait) {
    ULONGLONG until = GetTickCount64() + wait;
    for (;;) {
        HANDLE pipe = CreateFile(name, access, 0, NULL, OPEN_EXISTING, 0, NULL);
        DWORD error = GetLastError();
        if (pipe != INVALID_HANDLE_VALUE)
            return pipe;
        ULONGLONG now = GetTickCount64();
        if ((error != ERROR_PIPE_BUSY && error != ERROR_FILE_NOT_FOUND) || now >= until) {
            SetLastError(error);
            return INVALID_HANDLE_VALUE;
        }
        if (!WaitNamedPipe(name, (DWORD)(until - now)) && GetLastError() == ERROR_FILE_NOT_FOUND)
            Sleep(20);
    }
}

static inline BOOL read_by_messages(HANDLE pipe) {
    DWORD mode = PIPE_READMODE_MESSAGE | PIPE_WAIT;
    return SetNamedPipeHandleState(pipe, &mode, NULL, NULL);
}

/* A message that grows as its parts come. */
struct message {
    char *bytes;
    DWORD length;
    DWORD parts;
};

/* Reads one whole message, `piece` bytes at a time: ERROR_MORE_DATA says that there is
 * more of the same one. FALSE with GetLastError when the pipe ends. */
static inline BOOL read_message(HANDLE pipe, DWORD piece, struct message *message) {
    HANDLE heap = GetProcessHeap();
    BOOL whole;
    message->length = message->parts = 0;
    do {
        DWORD count = 0;
        SIZE_T room = (SIZE_T)message->length + piece;
        message->bytes = message->bytes ? HeapReAlloc(heap, 0, message->bytes, room)
                                        : HeapAlloc(heap, 0, room);
        whole = ReadFile(pipe, message->bytes + message->length, piece, &count, NULL);
        if (!whole && GetLastError() != ERROR_MORE_DATA)
            return FALSE;
        message->length += count;
        message->parts++;
    } while (!whole);
    return TRUE;
}

/* Is it this word, with or without its terminating NUL? */
static inline BOOL is_word(const void *bytes, DWORD length, const TCHAR *word) {
    DWORD size = (DWORD)(_tcslen(word) * sizeof(TCHAR));
    return (length == size || length == size + sizeof(TCHAR)) && memcmp(bytes, word, length) == 0;
}

static inline DWORD number(const TCHAR *digits) {
    return _tcstoul(digits, NULL, 10);
}

/* The first argument that is not an option, or none. Options are single letters; those in
 * `valued` take the next argument. */
static inline int first_operand(int argc, TCHAR **argv, const TCHAR *flags, const TCHAR *valued,
                                const TCHAR **values) {
    int at = 1;
    for (; at < argc && argv[at][0] == '-' && argv[at][1]; at++) {
        const TCHAR *found = _tcschr(valued, argv[at][1]);
        if (found && at + 1 < argc)
            values[found - valued] = argv[++at];
        else if ((found = _tcschr(flags, argv[at][1])) != NULL)
            values[_tcslen(valued) + (size_t)(found - flags)] = argv[at];
        else
            return argc;
    }
    return at;
}
