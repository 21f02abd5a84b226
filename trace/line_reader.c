/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streaming line reader. Memory is one input and one text buffer whatever the
 * size of the file; a zstd frame that asks for a window of more than 128 MiB
 * is refused, so a small file cannot ask for much. Leaves out: seeking, and
 * encodings other than bytes.
 */
#include "trace/line_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#define IN_BYTES (64u * 1024)
#define TEXT_BYTES (128u * 1024)
#define WINDOW_LOG_MAX 27

_Static_assert(TEXT_BYTES > 2 * LINE_MAX_BYTES, "a line fits with room");
_Static_assert(TEXT_BYTES > LINE_READER_PEEK, "and so does the text ahead");

struct line_reader {
	const char *path;
	struct diag *diag;
	ZSTD_DCtx *zstd;        /* NULL for a plain file */
	int fd;
	int error;              /* final result once negative */
	bool in_eof;            /* read() has reported the end */
	bool in_frame;          /* inside a zstd frame */
	bool text_eof;          /* nothing more will come into `text` */
	unsigned int line;      /* lines handed out */
	uint64_t in_offset;     /* file offset of in[0] */
	size_t in_pos, in_len;
	size_t text_pos, text_len;
	unsigned char in[IN_BYTES];
	char text[TEXT_BYTES + 1];
};

__attribute__((format(printf, 3, 4)))
static int reader_fail(struct line_reader *r, int err, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	diag_error(r->diag,
		   (struct diag_place){ .file = r->path,
					.line = r->line ? r->line : 0 },
		   "%s", why);
	r->error = err;
	return err;
}

/* read() `size` bytes at most, which is what the input brings now. */
static int read_some(struct line_reader *r, void *data, size_t size,
		     size_t *got)
{
	ssize_t n;

	do {
		n = read(r->fd, data, size);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return reader_fail(r, -EIO, "cannot read at byte %llu: %s",
				   (unsigned long long)r->in_offset,
				   strerror(errno));
	r->in_eof = n == 0;
	*got = (size_t)n;
	return 0;
}

/* Refill the input buffer once it is used up. */
static int fill_input(struct line_reader *r)
{
	if (r->in_pos < r->in_len || r->in_eof)
		return 0;
	r->in_offset += r->in_len;
	r->in_pos = r->in_len = 0;
	return read_some(r, r->in, IN_BYTES, &r->in_len);
}

/* The head goes through the input buffer, all else is read in place. */
static int fill_plain(struct line_reader *r)
{
	const size_t have = r->in_len - r->in_pos;
	const size_t room = TEXT_BYTES - r->text_len;
	size_t n = have < room ? have : room;

	if (have) {
		memcpy(r->text + r->text_len, r->in + r->in_pos, n);
		r->in_pos += n;
	} else if (!r->in_eof) {
		int err;

		r->in_offset += r->in_len;
		r->in_pos = r->in_len = 0;
		err = read_some(r, r->text + r->text_len, room, &n);
		if (err)
			return err;
		r->in_offset += n;
	}
	r->text_len += n;
	r->text_eof = r->in_eof && r->in_pos == r->in_len;
	return 0;
}

static int fill_zstd(struct line_reader *r)
{
	ZSTD_inBuffer in = { r->in, r->in_len, r->in_pos };
	ZSTD_outBuffer out = { r->text, TEXT_BYTES, r->text_len };
	const size_t before = out.pos;
	const bool at_end = r->in_eof && r->in_pos == r->in_len;
	size_t ret;

	if (at_end && !r->in_frame) {
		r->text_eof = true;
		return 0;
	}
	ret = ZSTD_decompressStream(r->zstd, &out, &in);
	r->in_pos = in.pos;
	r->text_len = out.pos;
	if (ZSTD_isError(ret))
		return reader_fail(r, -EBADMSG,
				   "damaged zstd data near byte %llu: %s",
				   (unsigned long long)r->in_offset + in.pos,
				   ZSTD_getErrorName(ret));
	r->in_frame = ret != 0;
	if (at_end && r->in_frame && out.pos == before)
		return reader_fail(r, -EBADMSG,
				   "cut short: the file ends at byte %llu, inside a zstd frame",
				   (unsigned long long)r->in_offset + in.pos);
	return 0;
}

/* Move the unread text to the front and append more. */
static int fill_text(struct line_reader *r)
{
	const size_t keep = r->text_len - r->text_pos;
	int err;

	memmove(r->text, r->text + r->text_pos, keep);
	r->text_pos = 0;
	r->text_len = keep;
	if (!r->zstd)
		return fill_plain(r);
	err = fill_input(r);
	return err ? err : fill_zstd(r);
}

static int hand_out(struct line_reader *r, char *start, size_t len,
		    struct line *out)
{
	r->line++;
	if (len > LINE_MAX_BYTES)
		return reader_fail(r, -EINVAL,
				   "line is too long; at most %u bytes are allowed",
				   LINE_MAX_BYTES);
	if (memchr(start, '\0', len))
		return reader_fail(r, -EINVAL,
				   "line contains a NUL byte; this is not a text file");
	r->text_pos += len + 1;
	/* A recording that came over a serial console. */
	if (len && start[len - 1] == '\r')
		len--;
	start[len] = '\0';
	*out = (struct line){ .text = start, .len = len, .number = r->line };
	return 1;
}

int line_reader_next(struct line_reader *r, struct line *out)
{
	if (r->error)
		return r->error;
	for (;;) {
		char *start = r->text + r->text_pos;
		const size_t have = r->text_len - r->text_pos;
		char *nl = memchr(start, '\n', have);
		int err;

		if (nl)
			return hand_out(r, start, (size_t)(nl - start), out);
		if (have > LINE_MAX_BYTES)
			return hand_out(r, start, have, out);
		if (r->text_eof && have == 0)
			return 0;
		if (r->text_eof) {
			r->line++;
			return reader_fail(r, -EBADMSG,
					   "cut short: the last line does not end with a newline");
		}
		err = fill_text(r);
		if (err)
			return err;
	}
}

int line_reader_peek(struct line_reader *r, size_t want, const char **text,
		     size_t *len)
{
	int err;

	if (r->error)
		return r->error;
	if (want > LINE_READER_PEEK)
		want = LINE_READER_PEEK;
	while (r->text_len - r->text_pos < want && !r->text_eof) {
		err = fill_text(r);
		if (err)
			return err;
	}
	*text = r->text + r->text_pos;
	*len = r->text_len - r->text_pos;
	return 0;
}

/* A zstd frame, or a skippable frame in front of one. */
static bool is_zstd(const unsigned char *p, size_t len)
{
	uint32_t magic;

	if (len < 4)
		return false;
	magic = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		(uint32_t)p[3] << 24;
	return magic == ZSTD_MAGICNUMBER || (magic & 0xfffffff0u) == 0x184d2a50u;
}

/* Read until the magic number can be judged: a pipe may deliver less. */
static int fill_head(struct line_reader *r)
{
	while (r->in_len < 4 && !r->in_eof) {
		ssize_t n = read(r->fd, r->in + r->in_len,
				 IN_BYTES - r->in_len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return reader_fail(r, -EIO, "cannot read: %s",
					   strerror(errno));
		r->in_len += (size_t)n;
		r->in_eof = n == 0;
	}
	return 0;
}

static int start_reading(struct line_reader *r)
{
	int err;

	r->fd = strcmp(r->path, "-") == 0 ? STDIN_FILENO :
		open(r->path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return reader_fail(r, -errno, "cannot open: %s",
				   strerror(errno));
	err = fill_head(r);
	if (err || !is_zstd(r->in, r->in_len))
		return err;
	r->zstd = ZSTD_createDCtx();
	if (!r->zstd)
		return reader_fail(r, -ENOMEM, "out of memory");
	ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	return 0;
}

int line_reader_open(struct line_reader **out, const char *path,
		     struct diag *d)
{
	struct line_reader *r = malloc(sizeof(*r));
	int err;

	*out = NULL;
	if (!r) {
		diag_error(d, (struct diag_place){ .file = path },
			   "out of memory");
		return -ENOMEM;
	}
	memset(r, 0, offsetof(struct line_reader, in));
	r->path = path;
	r->diag = d;
	r->fd = -1;
	err = start_reading(r);
	if (err) {
		line_reader_close(r);
		return err;
	}
	*out = r;
	return 0;
}

void line_reader_close(struct line_reader *r)
{
	if (!r)
		return;
	ZSTD_freeDCtx(r->zstd);
	if (r->fd >= 0 && r->fd != STDIN_FILENO)
		close(r->fd);
	free(r);
}
