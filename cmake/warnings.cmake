# SPDX-License-Identifier: GPL-2.0-or-later
# buddylab_set_warnings(target): the warnings that our own code is kept free of;
# errors where a preset sets BUDDYLAB_WERROR (dev, asan, ci).
#
# -Wno-sign-conversion: pfn_t arithmetic with int constants would drown the
# conversions that lose bits, which -Wconversion still shows.
function(buddylab_set_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wconversion -Wno-sign-conversion
    $<$<BOOL:${BUDDYLAB_WERROR}>:-Werror>)
endfunction()
