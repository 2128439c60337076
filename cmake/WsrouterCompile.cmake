# How our own code is compiled. Nothing here reaches generated code or the dependencies' headers.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release or Debug" FORCE)
endif()

# -g1 keeps names and line numbers for profiles and backtraces at a fraction of the size of -g.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
# Sanitized code without any optimization is too slow for the timing of the integration tests.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# Every executable is position independent, so every object in it is.
include(CheckPIESupported)
check_pie_supported()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# What each of our own targets links; generated code takes the second one only.
add_library(wsrouter_warnings INTERFACE)
target_compile_options(wsrouter_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Werror
  # Designated initializers name the fields that differ from the default; the rest is meant to stay out.
  -Wno-missing-field-initializers
  # GCC 12 takes the payload of an empty std::optional, and the state of an absl::AnyInvocable that
  # needs none, for variables that somebody forgot to set.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> -Wno-uninitialized)

add_library(wsrouter_hardening INTERFACE)
target_compile_options(wsrouter_hardening INTERFACE -fstack-protector-strong)
target_link_options(wsrouter_hardening INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
if(NOT WSROUTER_SANITIZE)
  target_compile_options(wsrouter_hardening INTERFACE
    $<$<CONFIG:Release>:-U_FORTIFY_SOURCE$<SEMICOLON>-D_FORTIFY_SOURCE=2> -fstack-clash-protection)
endif()

if(WSROUTER_SANITIZE)
  add_compile_options(-fsanitize=${WSROUTER_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${WSROUTER_SANITIZE})
endif()
if(WSROUTER_SANITIZE MATCHES thread)
  # By this macro Protobuf's headers give maps two members more, which Debian's library lacks.
  add_compile_options(-U__SANITIZE_THREAD__)
  # Every program links it by name: nothing refers to its symbols but the dynamic linker.
  find_package(absl CONFIG REQUIRED)
  add_library(wsrouter_tsan_mutex OBJECT ${PROJECT_SOURCE_DIR}/tests/support/tsan_mutex.cc)
  target_link_libraries(wsrouter_tsan_mutex PRIVATE wsrouter_warnings absl::synchronization absl::time)
  target_link_libraries(wsrouter_hardening INTERFACE
    $<TARGET_OBJECTS:wsrouter_tsan_mutex> absl::synchronization absl::time ${CMAKE_DL_LIBS})
endif()
if(WSROUTER_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "WSROUTER_FUZZ needs clang, the compiler is ${CMAKE_CXX_COMPILER_ID}")
  endif()
  # Coverage counters in every library; only the fuzz targets link the driver with its main().
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
