# Warnings for our own targets; -Werror only where a preset asks for it.
function(buddylab_set_warnings target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wconversion -Wno-sign-conversion
    $<$<BOOL:${BUDDYLAB_WERROR}>:-Werror>)
  if(BUDDYLAB_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${BUDDYLAB_SANITIZE} -fno-omit-frame-pointer
      -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${BUDDYLAB_SANITIZE})
  endif()
endfunction()
