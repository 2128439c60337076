# Debian 12's packages, in the versions it ships; deploy/install_deps.sh has the package of each.

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(yaml-cpp CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED COMPONENTS core)
find_package(Boost 1.74 REQUIRED)  # headers only: Asio and Beast for the WebSocket client

find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBWEBSOCKETS REQUIRED IMPORTED_TARGET libwebsockets)
pkg_check_modules(CPP_HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)

# libev has neither a .pc file nor a CMake package. libwebsockets also loads its libev plugin at run time.
find_path(LIBEV_INCLUDE_DIR ev.h REQUIRED)
find_library(LIBEV_LIBRARY ev REQUIRED)
add_library(wsrouter_libev INTERFACE)
target_include_directories(wsrouter_libev SYSTEM INTERFACE ${LIBEV_INCLUDE_DIR})
target_link_libraries(wsrouter_libev INTERFACE ${LIBEV_LIBRARY})

if(Protobuf_VERSION AND NOT TARGET protobuf::protoc)
  message(FATAL_ERROR "protoc not found: install protobuf-compiler")
endif()
if(NOT TARGET gRPC::grpc_cpp_plugin)
  message(FATAL_ERROR "grpc_cpp_plugin not found: install protobuf-compiler-grpc")
endif()
