/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a file of mm/ sees of the kernel: every header that it includes is this
 * one (scripts/buddylab-kernel-reporter). Only the words that a reporter of
 * free pages needs are here, written anew, with the meaning that they have for
 * one worker on one virtual machine in virtual time: a lock is the zone lock
 * of the simulator, RCU and mutexes are nothing, jiffies are milliseconds, a
 * delayed work is the reporter's next process().
 *
 * docs/kernel-reporter.md lists what is mapped onto what, and what is not.
 */
#ifndef KERNEL_SHIM_H
#define KERNEL_SHIM_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/bridge.h"

#define CONFIG_PAGE_REPORTING 1
#define CONFIG_MEMORY_ISOLATION 1
#define CONFIG_CMA 1

/* ---- words of the compiler ---- */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned int gfp_t;
typedef unsigned int uint;

#define __rcu
#define __init
#define __exit
#define __meminit
#define __read_mostly
#define __maybe_unused __attribute__((unused))
#undef __always_inline       /* the C library has it as well */
#define __always_inline inline __attribute__((always_inline))
#define fallthrough __attribute__((fallthrough))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier() __asm__ volatile("" ::: "memory")
#define smp_mb() barrier()
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#define cond_resched() do { } while (0)
#define might_sleep() do { } while (0)

#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ALIGN(x, a) (((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define IS_ALIGNED(x, a) (((x) & ((__typeof__(x))(a) - 1)) == 0)
#define BIT(n) (1ul << (n))
#define min(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); \
		     a_ < b_ ? a_ : b_; })
#define max(a, b) ({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b); \
		     a_ > b_ ? a_ : b_; })
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define clamp(v, lo, hi) min((__typeof__(v))max(v, lo), hi)

/* Messages have no reader here; a BUG ends the run. */
#define pr_info(...) do { } while (0)
#define pr_warn(...) do { } while (0)
#define pr_err(...) do { } while (0)
#define pr_debug(...) do { } while (0)
#define pr_info_once(...) do { } while (0)
#define printk(...) do { } while (0)
#define WARN_ON(x) ({ bool is_ = !!(x); is_; })
#define WARN_ON_ONCE(x) WARN_ON(x)
#define VM_WARN_ON_ONCE(x) ((void)(x))
#define BUG_ON(x) do { if (x) bridge_cannot("BUG_ON(" #x ")"); } while (0)
#define VM_BUG_ON(x) BUG_ON(x)
#define VM_BUG_ON_PAGE(x, page) BUG_ON(x)

#define EXPORT_SYMBOL(name) _Static_assert(1, #name)
#define EXPORT_SYMBOL_GPL(name) _Static_assert(1, #name)
#define MODULE_PARM_DESC(name, text) _Static_assert(1, #name)
#define MODULE_LICENSE(text) _Static_assert(1, text)
/* Options of the reporter take the place of parameters. */
#define module_param(name, type, mode) \
	static const void *const kernel_param_##name __maybe_unused = &(name)
#define module_param_cb(name, ops, arg, mode) \
	static const struct kernel_param kernel_param_##name \
		__maybe_unused = { #name, (ops), (arg) }

#define BUILD_BUG_ON(x) _Static_assert(!(x), #x)
#define IS_ENABLED(config) IS_ENABLED_(config)
#define IS_ENABLED_(config) IS_ENABLED__(IS_ENABLED_COMMA_##config)
#define IS_ENABLED_COMMA_1 0,
#define IS_ENABLED__(comma) IS_ENABLED___(comma 1, 0)
#define IS_ENABLED___(ignored, value, ...) (!(value))

/* Parameters of modules: set and shown elsewhere, so only their shape. */
struct kernel_param_ops;

struct kernel_param {
	const char *name;
	const struct kernel_param_ops *ops;
	void *arg;
};

struct kernel_param_ops {
	int (*set)(const char *val, const struct kernel_param *kp);
	int (*get)(char *buffer, const struct kernel_param *kp);
};

int param_set_uint_minmax(const char *val, const struct kernel_param *kp,
			  unsigned int lowest, unsigned int highest);
int param_set_bool(const char *val, const struct kernel_param *kp);
int param_get_bool(char *buffer, const struct kernel_param *kp);
int param_get_int(char *buffer, const struct kernel_param *kp);
int param_get_uint(char *buffer, const struct kernel_param *kp);

/* ---- one worker: locks and RCU order nothing ---- */

typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;

#define ATOMIC_INIT(n) { (n) }
#define atomic_read(v) ((v)->counter)
#define atomic_set(v, n) ((void)((v)->counter = (n)))
#define atomic_inc(v) ((void)(v)->counter++)
#define atomic_dec(v) ((void)(v)->counter--)
#define atomic_add(n, v) ((void)((v)->counter += (n)))
#define atomic_sub(n, v) ((void)((v)->counter -= (n)))
#define atomic_long_read(v) atomic_read(v)
#define atomic_long_set(v, n) atomic_set(v, n)
#define atomic_long_add(n, v) atomic_add(n, v)
#define atomic_long_sub(n, v) atomic_sub(n, v)

static inline int atomic_xchg(atomic_t *v, int n)
{
	const int old = v->counter;

	v->counter = n;
	return old;
}

static inline int atomic_cmpxchg(atomic_t *v, int old, int n)
{
	const int was = v->counter;

	if (was == old)
		v->counter = n;
	return was;
}

struct mutex {
	int unused;
};

#define DEFINE_MUTEX(name) struct mutex name
#define mutex_lock(m) ((void)(m))
#define mutex_unlock(m) ((void)(m))
#define mutex_init(m) ((void)(m))

#define rcu_read_lock() do { } while (0)
#define rcu_read_unlock() do { } while (0)
#define synchronize_rcu() do { } while (0)
#define rcu_dereference(p) (p)
#define rcu_dereference_protected(p, condition) (p)
#define rcu_access_pointer(p) (p)
#define rcu_assign_pointer(p, v) ((void)((p) = (v)))
#define RCU_INIT_POINTER(p, v) ((void)((p) = (v)))
#define lockdep_is_held(lock) 1

struct static_key_false {
	bool on;
};

#define DEFINE_STATIC_KEY_FALSE(name) struct static_key_false name
#define DECLARE_STATIC_KEY_FALSE(name) extern struct static_key_false name
#define static_branch_unlikely(key) ((key)->on)
#define static_branch_likely(key) ((key)->on)
#define static_key_enabled(key) ((key)->on)
#define static_branch_enable(key) ((void)((key)->on = true))
#define static_branch_disable(key) ((void)((key)->on = false))

/* ---- work ---- */

#define HZ 1000
#define MSEC_PER_SEC 1000
#define msecs_to_jiffies(ms) ((unsigned long)(ms))
#define round_jiffies_relative(j) (j)

struct work_struct;
typedef void (*work_func_t)(struct work_struct *work);

struct work_struct {
	work_func_t func;
};

struct delayed_work {
	struct work_struct work;
	bool locked_out;           /* cancelled while it runs */
};

struct workqueue_struct;
#define system_wq ((struct workqueue_struct *)NULL)
#define system_freezable_wq system_wq
#define system_unbound_wq system_wq
#define to_delayed_work(w) container_of(w, struct delayed_work, work)
#define INIT_DELAYED_WORK(dw, f) kernel_init_work(dw, f)
#define schedule_delayed_work(dw, delay) kernel_queue_work(dw, delay)
#define queue_delayed_work(wq, dw, delay) \
	((void)(wq), kernel_queue_work(dw, delay))

void kernel_init_work(struct delayed_work *dw, work_func_t f);
bool kernel_queue_work(struct delayed_work *dw, unsigned long delay);
bool mod_delayed_work(struct workqueue_struct *wq, struct delayed_work *dw,
		      unsigned long delay);
bool cancel_delayed_work(struct delayed_work *dw);
bool cancel_delayed_work_sync(struct delayed_work *dw);

/* ---- memory of the kernel's own ---- */

#define GFP_KERNEL 0u
#define __GFP_ZERO 0u
#define kmalloc(size, gfp) ((void)(gfp), bridge_kmalloc(size))
#define kzalloc(size, gfp) kmalloc(size, gfp)
#define kmalloc_array(n, size, gfp) kmalloc((size_t)(n) * (size), gfp)
#define kcalloc(n, size, gfp) kmalloc_array(n, size, gfp)
#define kfree(p) bridge_kfree(p)

#include "kernel/shim_mm.h"

#endif
