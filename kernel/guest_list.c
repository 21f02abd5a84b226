/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations on lists (include/linux/list.h) for a file of mm/. Of what is on
 * a free list only a rotation means something to the allocator; anything else
 * there ends the run with a message. Lists of the file's own are just lists.
 */
#include "kernel/guest.h"

void insert_before(struct list_head *entry, struct list_head *next)
{
	entry->prev = next->prev;
	entry->next = next;
	next->prev->next = entry;
	next->prev = entry;
}

void take_out(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

static bool is_ours(const struct list_head *list)
{
	const char *p = (const char *)list;

	return p >= (const char *)guest->zones &&
	       p < (const char *)(guest->zones + MAX_ZONES);
}

static bool is_page(const struct list_head *entry)
{
	return (const char *)entry >= (const char *)guest->pages &&
	       entry->next && list_entry(entry, struct page, lru)->linked;
}

const struct list_head *kernel_list(const struct list_head *list)
{
	if (!list->next)
		bridge_cannot("a list of blocks below page_reporting_order is "
			      "looked at");
	return list;
}

void list_rotate_to_front(struct list_head *entry, struct list_head *list)
{
	if (entry == list)
		bridge_cannot("a list is rotated to its own head");
	take_out(list);
	insert_before(list, entry);
	if (is_ours(list))
		bridge_rotate_to_front(
			pfn_of(list_entry(entry, struct page, lru)));
}

static void only_others(const struct list_head *entry,
			const struct list_head *list)
{
	if ((entry && is_page(entry)) || (list && is_ours(list)))
		bridge_cannot("a free list is changed other than by "
			      "__isolate_free_page, __putback_isolated_page "
			      "and list_rotate_to_front");
}

void list_del(struct list_head *entry)
{
	only_others(entry, NULL);
	take_out(entry);
}

void list_del_init(struct list_head *entry)
{
	list_del(entry);
	INIT_LIST_HEAD(entry);
}

void list_add(struct list_head *entry, struct list_head *list)
{
	only_others(NULL, list);
	insert_before(entry, list->next);
}

void list_add_tail(struct list_head *entry, struct list_head *list)
{
	only_others(NULL, list);
	insert_before(entry, list);
}

void list_move(struct list_head *entry, struct list_head *list)
{
	list_del(entry);
	list_add(entry, list);
}

void list_move_tail(struct list_head *entry, struct list_head *list)
{
	list_del(entry);
	list_add_tail(entry, list);
}
