/* Wine 8 has no bcryptprimitives.dll, where Rust's standard library looks for its random
 * numbers: without one, no program of Rust starts there (c0000135). This one takes them
 * from advapi32, by the name behind RtlGenRandom. It is for Wine alone. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
    while (length > 0) {
        ULONG part = length > 0x40000000 ? 0x40000000 : (ULONG)length;
        if (!SystemFunction036(data, part))
            return FALSE;
        data += part;
        length -= part;
    }
    return TRUE;
}
