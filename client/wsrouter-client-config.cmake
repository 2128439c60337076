# find_package(wsrouter-client) gives wsrouter::client. What it links is found first.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(OpenSSL)
find_dependency(Protobuf)
find_dependency(absl CONFIG)
find_dependency(fmt CONFIG)
find_dependency(gRPC CONFIG)
include(${CMAKE_CURRENT_LIST_DIR}/wsrouter-client-targets.cmake)
