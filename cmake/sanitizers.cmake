# SPDX-License-Identifier: GPL-2.0-or-later
# buddylab_add_sanitizers(target): build it with the sanitizers of
# BUDDYLAB_SANITIZE ("address,undefined"), any finding fatal. Programs that link
# the target inherit the link flag. BUDDYLAB_SANITIZED is defined, so that a
# random test can take fewer steps where each costs ten times as much.
# BUDDYLAB_FUZZ counts the branches taken, for libFuzzer to steer by.
function(buddylab_add_sanitizers target)
  if(BUDDYLAB_FUZZ)
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(NOT BUDDYLAB_SANITIZE)
    return()
  endif()
  target_compile_options(${target} PRIVATE
    -fsanitize=${BUDDYLAB_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_compile_definitions(${target} PRIVATE BUDDYLAB_SANITIZED=1)
  target_link_options(${target} PUBLIC -fsanitize=${BUDDYLAB_SANITIZE})
endfunction()
