// SPDX-License-Identifier: Apache-2.0

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** syscalls(2) by what they work on, for x86, x86_64, arm and arm64 up to Linux 6.18: what any program may call. */
const allowedByArea: Readonly<Record<string, readonly string[]>> = {
  fileAccess: words(`
    open openat openat2 creat close close_range read pread64 readv preadv preadv2 write pwrite64 writev pwritev pwritev2
    lseek _llseek sendfile sendfile64 copy_file_range splice tee vmsplice readahead fadvise64 fadvise64_64 fallocate
    truncate truncate64 ftruncate ftruncate64 fsync fdatasync sync syncfs sync_file_range flock fcntl fcntl64 ioctl dup
    dup2 dup3 pipe pipe2 cachestat memfd_create memfd_secret name_to_handle_at`),
  fileNames: words(`
    link linkat symlink symlinkat unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir mknod mknodat readlink
    readlinkat getcwd chdir fchdir getdents getdents64 umask`),
  fileAttributes: words(`
    stat stat64 fstat fstat64 lstat lstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64 access faccessat
    faccessat2 chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 lchown lchown32 fchownat utime utimes
    futimesat utimensat utimensat_time64 getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat
    listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat file_getattr
    file_setattr statmount listmount`),
  readiness: words(`
    select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl epoll_ctl_old
    epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 inotify_init inotify_init1 inotify_add_watch
    inotify_rm_watch fanotify_mark io_setup io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64 io_destroy`),
  memory: words(`
    brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall remap_file_pages
    membarrier map_shadow_stack mseal pkey_alloc pkey_free pkey_mprotect process_mrelease`),
  process: words(`
    fork vfork execve execveat exit exit_group wait4 waitid waitpid kill tkill tgkill pidfd_open pidfd_send_signal getpid
    getppid gettid getpgid getpgrp setpgid getsid setsid prctl set_tid_address set_thread_area get_thread_area
    set_robust_list get_robust_list restart_syscall rseq uname sysinfo getcpu getrandom getrusage times getpriority
    setpriority ioprio_get ioprio_set getrlimit ugetrlimit setrlimit prlimit64 uretprobe uprobe ptrace process_vm_readv
    process_vm_writev`),
  locking: words('futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue'),
  scheduling: words(`
    sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
    sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
    sched_rr_get_interval_time64`),
  signals: words(`
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn rt_sigsuspend
    rt_sigtimedwait rt_sigtimedwait_time64 sigaltstack sigprocmask sigreturn signalfd signalfd4 pause alarm`),
  time: words(`
    time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep
    clock_nanosleep_time64 nanosleep adjtimex clock_adjtime clock_adjtime64 getitimer setitimer timer_create timer_delete
    timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
    timerfd_gettime64 timerfd_settime timerfd_settime64`),
  identity: words(`
    getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32
    getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32
    setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32 capget capset`),
  network: words(`
    socketcall socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt send
    sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64`),
  systemV: words(`
    ipc shmget shmat shmctl shmdt semget semop semctl semtimedop semtimedop_time64 msgget msgsnd msgrcv msgctl mq_open
    mq_unlink mq_notify mq_getsetattr mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64`),
  ownConfinement: words('seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self'),
};

export const allowedSyscalls: readonly string[] = Object.values(allowedByArea).flat();

/** Calls that only one processor family has. */
export const architectureSyscalls: Readonly<Record<'x64' | 'arm64', readonly string[]>> = {
  x64: ['arch_prctl', 'modify_ldt'],
  arm64: words('arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls'),
};

/** Calls that come with a capability in the bounding set; without it the kernel or we refuse them. capabilities(7). */
export const capabilitySyscalls: Readonly<Record<string, readonly string[]>> = {
  CAP_BPF: ['bpf'],
  CAP_DAC_READ_SEARCH: ['open_by_handle_at'],
  CAP_PERFMON: ['perf_event_open'],
  CAP_SYS_ADMIN: words(`
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr move_mount open_tree
    open_tree_attr perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare`),
  CAP_SYS_BOOT: ['reboot'],
  CAP_SYS_CHROOT: ['chroot'],
  CAP_SYS_MODULE: ['init_module', 'finit_module', 'delete_module'],
  CAP_SYS_NICE: ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'],
  CAP_SYS_PACCT: ['acct'],
  CAP_SYS_PTRACE: ['kcmp', 'pidfd_getfd', 'process_madvise'],
  CAP_SYS_RAWIO: ['iopl', 'ioperm'],
  CAP_SYS_TIME: ['settimeofday', 'stime', 'clock_settime', 'clock_settime64'],
  CAP_SYS_TTY_CONFIG: ['vhangup'],
  CAP_SYSLOG: ['syslog'],
};

/**
 * Known and refused unless a capability or an argument rule allows them: they act on the whole machine (modules, swap,
 * kexec, clocks, accounting), reach past the namespaces (keyrings, handles, bpf, perf), are a rich source of kernel
 * faults (io_uring, userfaultfd) or are long dead.
 */
export const refusedSyscalls: readonly string[] = [
  ...new Set([
    ...Object.values(capabilitySyscalls).flat(),
    ...words(`
      add_key keyctl request_key io_uring_setup io_uring_enter io_uring_register userfaultfd kexec_load kexec_file_load
      swapon swapoff pivot_root personality create_module get_kernel_syms query_module nfsservctl uselib ustat sysfs
      _sysctl vm86 vm86old migrate_pages move_pages vserver`),
  ]),
].filter((name) => name !== 'clone' && name !== 'clone3');

/**
 * What a runtime itself calls between loading the filter and executing the app, without which no app starts, however
 * short its list: found by leaving one after the other out under runc 1.1 and crun 1.8, and rounded up to the calls of the
 * Go runtime that depend on chance.
 */
export const startSyscalls: readonly string[] = words(`
  execve exit exit_group rt_sigreturn sigreturn rt_sigaction rt_sigprocmask sigaltstack tgkill futex sched_yield nanosleep
  read write close close_range fcntl openat fstat lstat newfstatat fstatfs getdents64 unlinkat chdir fchdir getcwd poll
  epoll_ctl epoll_pwait brk mmap munmap mprotect madvise getpid getppid gettid setsid geteuid setuid setgid setresuid
  setresgid setgroups capget capset prctl faccessat faccessat2 fchown`);
