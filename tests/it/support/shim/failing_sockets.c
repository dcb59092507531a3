/* Makes the reads, writes and accepts of a program's connections fail.
 *
 * The folder in ARAUTO_SHIM has the orders: files that are read before each call.
 *   writes   "ERRNO" or "ERRNO LENGTH": writes fail, those of LENGTH bytes and more
 *   reads    "ERRNO": reads fail
 *   accepts  "ERRNO": accepts fail
 * Each call that fails adds a letter to the file "failed": r for a read, a for an accept, w for
 * a write, m for sendmsg, f for sendfile.
 *
 * A seccomp filter (SECCOMP_RET_TRAP, seccomp(2)) traps the calls. Replacing the functions of libc
 * would not be enough, because rustix makes system calls without libc. If a call is not to fail,
 * the handler makes it with an instruction that the filter allows. x86-64 only.
 *
 * Sockets without a name never fail: tokio passes signals through a pair of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

long shim_call(long number, long a, long b, long c, long d, long e, long f);
extern char shim_call_end[];
__asm__(".text\n"
        ".globl shim_call\n.hidden shim_call\n"
        "shim_call:\n"
        "  mov %rdi, %rax\n  mov %rsi, %rdi\n  mov %rdx, %rsi\n  mov %rcx, %rdx\n"
        "  mov %r8, %r10\n  mov %r9, %r8\n  mov 8(%rsp), %r9\n"
        "  syscall\n"
        ".globl shim_call_end\n.hidden shim_call_end\n"
        "shim_call_end:\n"
        "  ret\n");

static char folder[4096];

/* Reads an order, and returns its errno, or 0. */
static long order(const char *name, long *length) {
    char path[4200], text[64] = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    long file = shim_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
    if (file < 0)
        return 0;
    shim_call(SYS_read, file, (long)text, sizeof text - 1, 0, 0, 0);
    shim_call(SYS_close, file, 0, 0, 0, 0, 0);
    char *rest = text;
    long code = strtol(text, &rest, 10);
    *length = strtol(rest, NULL, 10);
    return code;
}

static void note_failure(const char *letter) {
    char path[4200];
    snprintf(path, sizeof path, "%s/failed", folder);
    long flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    long file = shim_call(SYS_openat, AT_FDCWD, (long)path, flags, 0600, 0, 0);
    if (file >= 0) {
        shim_call(SYS_write, file, (long)letter, 1, 0, 0, 0);
        shim_call(SYS_close, file, 0, 0, 0, 0, 0);
    }
}

static int is_named_socket(long fd) {
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    long told = shim_call(SYS_getsockname, fd, (long)&name, (long)&length, 0, 0, 0);
    return told == 0 && length > sizeof(sa_family_t);
}

static long length_of(const struct iovec *parts, long count) {
    long sum = 0;
    for (long i = 0; i < count; i++)
        sum += (long)parts[i].iov_len;
    return sum;
}

/* Returns the errno that a call is to fail with, or 0, and its letter. */
static long failure_of(long number, const greg_t *r, const char **letter) {
    long code = 0, least = 0, length = 0;
    *letter = "w";
    switch (number) {
    case SYS_read: case SYS_readv: case SYS_recvfrom: case SYS_recvmsg:
        *letter = "r";
        code = order("reads", &least);
        least = 0;
        break;
    case SYS_accept: case SYS_accept4:
        *letter = "a";
        code = order("accepts", &least);
        least = 0;
        break;
    case SYS_writev:
        length = length_of((const struct iovec *)r[REG_RSI], r[REG_RDX]);
        code = order("writes", &least);
        break;
    case SYS_sendmsg: {
        *letter = "m";
        const struct msghdr *message = (const struct msghdr *)r[REG_RSI];
        length = length_of(message->msg_iov, (long)message->msg_iovlen);
        code = order("writes", &least);
        break;
    }
    case SYS_sendfile:
        *letter = "f";
        length = r[REG_R10];
        code = order("writes", &least);
        break;
    default: /* write, sendto */
        length = r[REG_RDX];
        code = order("writes", &least);
    }
    return code != 0 && length >= least && is_named_socket(r[REG_RDI]) ? code : 0;
}

static void on_call(int signal, siginfo_t *info, void *context) {
    (void)signal;
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    long number = info->si_syscall;
    const char *letter;
    long code = failure_of(number, r, &letter);
    if (code != 0) {
        note_failure(letter);
        r[REG_RAX] = -code;
        return;
    }
    r[REG_RAX] = shim_call(number, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8],
                           r[REG_R9]);
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define TRAP_IF(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP)

__attribute__((constructor)) static void begin(void) {
    const char *named = getenv("ARAUTO_SHIM");
    if (named == NULL)
        return;
    snprintf(folder, sizeof folder, "%s", named);
    struct sigaction action = {0};
    action.sa_sigaction = on_call;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    uint64_t own = (uint64_t)(uintptr_t)shim_call_end;
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)own, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(own >> 32), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        LOAD(nr),
        TRAP_IF(SYS_read), TRAP_IF(SYS_readv), TRAP_IF(SYS_recvfrom), TRAP_IF(SYS_recvmsg),
        TRAP_IF(SYS_write), TRAP_IF(SYS_writev), TRAP_IF(SYS_sendto), TRAP_IF(SYS_sendmsg),
        TRAP_IF(SYS_sendfile), TRAP_IF(SYS_accept), TRAP_IF(SYS_accept4),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    if (sigaction(SIGSYS, &action, NULL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("failing_sockets: no filter");
        _exit(97);
    }
}
