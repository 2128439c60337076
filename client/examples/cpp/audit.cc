// Prints what happens to clients and rooms in the whole cluster, also what happened while it did
// not run. Its node wants --set events.log=true.
#include <iostream>

#include "wsrouter/backend_client.h"

namespace v1 = wsrouter::v1;

int main() {
  wsrouter::client::BackendClient router({.target = "127.0.0.1:9090"});
  const auto stream = router.Consume({.group = "audit", .from_start = true},
                                     {.on_entry = [](wsrouter::client::ConsumedEntry taken) {
                                       std::cout << v1::LogKind_Name(taken.entry().kind()) << ' '
                                                 << taken.entry().client_id() << ' '
                                                 << taken.entry().room() << std::endl;
                                       taken.Done();
                                     }});
  std::cin.get();  // to the end of the input
}
