# Lua scripts that run inside Redis, as C++.

# wsrouter_lua(OUT COMMON file SCRIPTS file... [INTO folder]): appends to OUT a C++ file that defines, for
# each of the SCRIPTS `some_name.lua`, the function scripts::SomeName() of engine/redis_scripts.h. COMMON
# is put in front of each. The text is taken when CMake runs, which it does again when a script changes.
function(wsrouter_lua out)
  cmake_parse_arguments(ARG "" "COMMON;INTO" "SCRIPTS" ${ARGN})
  if(NOT ARG_INTO)
    set(ARG_INTO ${CMAKE_CURRENT_BINARY_DIR})
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARG_COMMON} ${ARG_SCRIPTS})
  set(LUA_FUNCTIONS "")
  set(LUA_NAMES "")
  foreach(path IN LISTS ARG_SCRIPTS)
    file(READ ${ARG_COMMON} common)
    file(READ ${path} text)
    string(SHA1 sha1 "${common}${text}")
    get_filename_component(stem ${path} NAME_WE)
    string(REPLACE "_" ";" words ${stem})
    set(name "")
    foreach(word IN LISTS words)
      string(SUBSTRING ${word} 0 1 first)
      string(SUBSTRING ${word} 1 -1 rest)
      string(TOUPPER ${first} first)
      string(APPEND name ${first}${rest})
    endforeach()
    string(APPEND LUA_FUNCTIONS "const RedisScript& ${name}() {
  static const RedisScript script = {
      .text = R\"lua(${common}${text})lua\", .sha1 = \"${sha1}\"};
  return script;
}

")
    list(APPEND LUA_NAMES "&${name}()")
  endforeach()
  list(JOIN LUA_NAMES ", " LUA_NAMES)
  set(made ${ARG_INTO}/redis_scripts.cc)
  file(CONFIGURE OUTPUT ${made} @ONLY CONTENT [[
#include "engine/redis_scripts.h"

namespace wsrouter::scripts {

@LUA_FUNCTIONS@std::vector<const RedisScript*> All() { return {@LUA_NAMES@}; }

}  // namespace wsrouter::scripts
]])
  set(${out} ${${out}} ${made} PARENT_SCOPE)
endfunction()
