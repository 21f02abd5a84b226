# SPDX-License-Identifier: GPL-2.0-or-later
# A copy of jemalloc for simulated programs: `cmake -P` with ARCHIVE (the
# distribution's static library), AR, LD, OBJCOPY and OUT, an object file. Its
# public names get a prefix, so that it serves nobody's malloc; so do the calls
# by which it would see the environment and the clock. It is set up by the first
# call, not when the program starts, and the C++ operators are left out.
set(prefix guest_je_)
set(names
  aligned_alloc calloc dallocx free mallctl mallctlbymib mallctlnametomib malloc
  malloc_conf malloc_conf_2_conf_harder malloc_message malloc_stats_print
  malloc_usable_size mallocx memalign nallocx posix_memalign rallocx realloc
  sallocx sdallocx valloc xallocx
  clock_gettime readlink secure_getenv)

set(dir ${OUT}.members)
file(REMOVE_RECURSE ${dir})
file(MAKE_DIRECTORY ${dir})
execute_process(COMMAND ${AR} x ${ARCHIVE} WORKING_DIRECTORY ${dir}
  COMMAND_ERROR_IS_FATAL ANY)
file(GLOB members ${dir}/*.o)
list(FILTER members EXCLUDE REGEX "/jemalloc_cpp")
list(SORT members)
set(redefine)
foreach(name ${names})
  list(APPEND redefine --redefine-sym ${name}=${prefix}${name})
endforeach()
execute_process(COMMAND ${LD} -r -o ${OUT}.all.o ${members}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${OBJCOPY} ${redefine}
  --remove-section .init_array --remove-section .rela.init_array
  ${OUT}.all.o ${OUT}
  COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${dir})
file(REMOVE ${OUT}.all.o)
