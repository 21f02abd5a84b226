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
#define module_param(name, type, mode) _Static_assert(1, #name)
#define module_param_cb(name, ops, arg, mode) _Static_assert(1, #name)

#define BUILD_BUG_ON(x) _Static_assert(!(x), #x)
#define IS_ENABLED(config) IS_ENABLED_(config)
#define IS_ENABLED_(config) IS_ENABLED__(IS_ENABLED_COMMA_##config)
#define IS_ENABLED_COMMA_1 0,
#define IS_ENABLED__(comma) IS_ENABLED___(comma 1, 0)
#define IS_ENABLED___(ignored, value, ...) (!(value))

/* Parameters of modules: set and shown elsewhere, so only their shape. */
struct kernel_param {
	const char *name;
	void *arg;
};

struct kernel_param_ops {
	int (*set)(const char *val, const struct kernel_param *kp);
	int (*get)(char *buffer, const struct kernel_param *kp);
};

int param_set_uint_minmax(const char *val, const struct kernel_param *kp,
			  unsigned int lowest, unsigned int highest);
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

/* ---- lists ---- */

struct list_head {
	struct list_head *next, *prev;
};

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)
#define INIT_LIST_HEAD(l) ((void)((l)->next = (l)->prev = (l)))

/* Of a free list: is it one that is mirrored? */
const struct list_head *kernel_list(const struct list_head *list);
void list_rotate_to_front(struct list_head *entry, struct list_head *list);
/* These have no counterpart for free lists, and say so if tried on one. */
void list_del(struct list_head *entry);
void list_del_init(struct list_head *entry);
void list_add(struct list_head *entry, struct list_head *list);
void list_add_tail(struct list_head *entry, struct list_head *list);
void list_move(struct list_head *entry, struct list_head *list);
void list_move_tail(struct list_head *entry, struct list_head *list);

#define list_empty(l) (kernel_list(l)->next == (l))
#define list_is_first(e, l) ((e)->prev == (l))
#define list_is_last(e, l) ((e)->next == (l))
#define list_is_head(e, l) ((e) == (l))
#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry(l, type, member) \
	list_entry(kernel_list(l)->next, type, member)
#define list_last_entry(l, type, member) \
	list_entry(kernel_list(l)->prev, type, member)
#define list_first_entry_or_null(l, type, member) \
	(list_empty(l) ? NULL : list_first_entry(l, type, member))
#define list_next_entry(pos, member) \
	list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) \
	list_entry((pos)->member.prev, __typeof__(*(pos)), member)
#define list_entry_is_head(pos, l, member) (&(pos)->member == (l))

/* Each turn is a node looked at, which the simulator prices. */
#define LIST_VISIT(more) ((more) && (bridge_count(BRIDGE_VISIT), true))
#define list_for_each_entry(pos, l, member) \
	for (pos = list_first_entry(l, __typeof__(*pos), member); \
	     LIST_VISIT(!list_entry_is_head(pos, l, member)); \
	     pos = list_next_entry(pos, member))
#define list_for_each_entry_reverse(pos, l, member) \
	for (pos = list_last_entry(l, __typeof__(*pos), member); \
	     LIST_VISIT(!list_entry_is_head(pos, l, member)); \
	     pos = list_prev_entry(pos, member))
#define list_for_each_entry_safe(pos, n, l, member) \
	for (pos = list_first_entry(l, __typeof__(*pos), member), \
	     n = list_next_entry(pos, member); \
	     LIST_VISIT(!list_entry_is_head(pos, l, member)); \
	     pos = n, n = list_next_entry(n, member))
#define list_for_each_entry_safe_reverse(pos, n, l, member) \
	for (pos = list_last_entry(l, __typeof__(*pos), member), \
	     n = list_prev_entry(pos, member); \
	     LIST_VISIT(!list_entry_is_head(pos, l, member)); \
	     pos = n, n = list_prev_entry(n, member))

/* ---- pages and zones ---- */

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define MAX_PAGE_ORDER 10
#define NR_PAGE_ORDERS 11
/* Inclusive in 6.4 to 6.7 only, and then on the command line. */
#ifndef MAX_ORDER
#define MAX_ORDER NR_PAGE_ORDERS
#endif
#define MAX_ORDER_NR_PAGES (1u << MAX_PAGE_ORDER)
#define pageblock_order bridge_pageblock_order()
#define pageblock_nr_pages (1ul << pageblock_order)

enum migratetype {
	MIGRATE_UNMOVABLE,
	MIGRATE_MOVABLE,
	MIGRATE_RECLAIMABLE,
	MIGRATE_PCPTYPES,
	MIGRATE_HIGHATOMIC = MIGRATE_PCPTYPES,
	MIGRATE_CMA,
	MIGRATE_ISOLATE,
	MIGRATE_TYPES
};

#define is_migrate_isolate(mt) ((mt) == MIGRATE_ISOLATE)
#define is_migrate_cma(mt) ((mt) == MIGRATE_CMA)
#define is_migrate_highatomic(mt) ((mt) == MIGRATE_HIGHATOMIC)

/* One for each block that could be on a list the kernel's file may walk. */
struct page {
	struct list_head lru;
	bool linked;               /* on a list of the mirror */
	u8 order, migratetype;     /* while linked, or as isolated */
	u8 zone;
};

struct free_area {
	struct list_head free_list[MIGRATE_TYPES];
	unsigned long nr_free;
};

typedef struct {
	int unused;
} spinlock_t;

enum zone_watermarks { WMARK_MIN, WMARK_LOW, WMARK_HIGH, NR_WMARK };
enum zone_stat_item { NR_FREE_PAGES };

struct zone {
	unsigned long _watermark[NR_WMARK];
	unsigned long watermark_boost;
	unsigned long zone_start_pfn;
	unsigned long spanned_pages, present_pages;
	unsigned long managed;
	const char *name;
	int node;
	struct free_area free_area[NR_PAGE_ORDERS];
	spinlock_t lock;
};

#define ALLOC_CMA 0x80
#define min_wmark_pages(z) ((z)->_watermark[WMARK_MIN] + (z)->watermark_boost)
#define low_wmark_pages(z) ((z)->_watermark[WMARK_LOW] + (z)->watermark_boost)
#define high_wmark_pages(z) \
	((z)->_watermark[WMARK_HIGH] + (z)->watermark_boost)
#define wmark_pages(z, i) ((z)->_watermark[i] + (z)->watermark_boost)
#define zone_managed_pages(z) ((z)->managed)
#define populated_zone(z) ((z)->present_pages != 0)
#define managed_zone(z) ((z)->managed != 0)
#define zone_to_nid(z) ((z)->node)
#define free_area_empty(area, mt) list_empty(&(area)->free_list[mt])

struct zone *kernel_first_zone(void);
struct zone *kernel_next_zone(struct zone *zone);
#define for_each_zone(z) \
	for (z = kernel_first_zone(); z; z = kernel_next_zone(z))
#define for_each_populated_zone(z) for_each_zone(z) if (populated_zone(z))

unsigned long zone_page_state(struct zone *zone, enum zone_stat_item item);
bool zone_watermark_ok(struct zone *zone, unsigned int order,
		       unsigned long mark, int highest_zoneidx,
		       unsigned int alloc_flags);

void kernel_zone_lock(spinlock_t *lock);
void kernel_zone_unlock(spinlock_t *lock);
#define spin_lock_irq(l) kernel_zone_lock(l)
#define spin_unlock_irq(l) kernel_zone_unlock(l)
#define spin_lock(l) kernel_zone_lock(l)
#define spin_unlock(l) kernel_zone_unlock(l)
#define spin_lock_irqsave(l, flags) ((void)((flags) = 0), kernel_zone_lock(l))
#define spin_unlock_irqrestore(l, flags) ((void)(flags), kernel_zone_unlock(l))

unsigned long page_to_pfn(const struct page *page);
struct page *pfn_to_page(unsigned long pfn);
struct zone *page_zone(const struct page *page);
int get_pageblock_migratetype(const struct page *page);
bool PageBuddy(const struct page *page);
unsigned int buddy_order(const struct page *page);
/* Until 5.9 it was called so. */
#define page_order(page) buddy_order(page)
bool PageReported(const struct page *page);
void __SetPageReported(struct page *page);
int __isolate_free_page(struct page *page, unsigned int order);
void __putback_isolated_page(struct page *page, unsigned int order, int mt);
#define page_to_phys(page) ((u64)page_to_pfn(page) << PAGE_SHIFT)

static inline int get_order(unsigned long size)
{
	int order = 0;

	while ((PAGE_SIZE << order) < size)
		order++;
	return order;
}

struct scatterlist {
	struct page *page;
	unsigned int offset, length;
	bool last;
};

void sg_init_table(struct scatterlist *sgl, unsigned int nents);

static inline struct page *sg_page(struct scatterlist *sg)
{
	return sg->page;
}

static inline void sg_set_page(struct scatterlist *sg, struct page *page,
			       unsigned int len, unsigned int offset)
{
	sg->page = page;
	sg->length = len;
	sg->offset = offset;
}

static inline struct scatterlist *sg_next(struct scatterlist *sg)
{
	return sg->last ? NULL : sg + 1;
}

static inline void sg_mark_end(struct scatterlist *sg)
{
	sg->last = true;
}

static inline void sg_unmark_end(struct scatterlist *sg)
{
	sg->last = false;
}

#define for_each_sg(sgl, sg, nr, i) \
	for ((i) = 0, (sg) = (sgl); (i) < (nr); (i)++, (sg) = sg_next(sg))

#endif
