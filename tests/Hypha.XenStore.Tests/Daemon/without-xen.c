/*
 * Preloaded into Xen's own xenstored, so that it runs on a machine without Xen: event channels, grants and the hypervisor
 * are replaced by just enough. Its tree, transactions, watches, permissions and its socket are the real ones.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int handle, last_port, ends[2];

/* libxenevtchn: no event ever comes */
void *xenevtchn_open(void *logger, unsigned flags)
{
    if (!ends[0] && pipe(ends))
        return NULL;
    return &handle;
}
void *xenevtchn_fdopen(void *logger, int fd, unsigned flags) { return xenevtchn_open(logger, flags); }
int xenevtchn_close(void *h) { return 0; }
int xenevtchn_fd(void *h) { return ends[0]; }
int xenevtchn_notify(void *h, uint32_t port) { return 0; }
int xenevtchn_bind_interdomain(void *h, uint32_t domain, uint32_t port) { return ++last_port; }
int xenevtchn_bind_virq(void *h, unsigned virq) { return ++last_port; }
int xenevtchn_pending(void *h) { errno = EAGAIN; return -1; }
int xenevtchn_unmask(void *h, uint32_t port) { return 0; }
int xenevtchn_unbind(void *h, uint32_t port) { return 0; }

/* libxengnttab: a guest's ring is an empty page */
void *xengnttab_open(void *logger, unsigned flags) { return &handle; }
int xengnttab_close(void *h) { return 0; }
int xengnttab_set_max_grants(void *h, uint32_t count) { return 0; }
void *xengnttab_map_grant_ref(void *h, uint32_t domain, uint32_t reference, int protection)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
int xengnttab_unmap(void *h, void *address, uint32_t count) { return munmap(address, 4096 * count); }

/* libxenctrl: every domain exists and runs; xc_dominfo_t begins with its number */
void *xc_interface_open(void *logger, void *second, unsigned flags) { return &handle; }
int xc_interface_close(void *h) { return 0; }
int xc_domain_getinfo(void *h, uint32_t first, unsigned count, void *info)
{
    memset(info, 0, 64);
    *(uint32_t *)info = first;
    return 1;
}

/* the kernel's xenfs: dom0's ring and port */
static int open_special(const char *path)
{
    int file;
    if (!strcmp(path, "/proc/xen/xsd_kva") || !strcmp(path, "/dev/xen/xsd_kva")) {
        file = memfd_create("xsd_kva", 0);
        if (file >= 0 && ftruncate(file, 4096))
            return -1;
        return file;
    }
    if (!strcmp(path, "/proc/xen/xsd_port") || !strcmp(path, "/dev/xen/xsd_port")) {
        file = memfd_create("xsd_port", 0);
        if (file >= 0 && (write(file, "1", 1) != 1 || lseek(file, 0, SEEK_SET)))
            return -1;
        return file;
    }
    return -1;
}

static int open_any(const char *path, int flags, int mode)
{
    int file = open_special(path);
    return file >= 0 ? file : openat(AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = va_arg(arguments, int);
    va_end(arguments);
    return open_any(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = va_arg(arguments, int);
    va_end(arguments);
    return open_any(path, flags, mode);
}
