#include "tests/support/raw_call.h"

#include <chrono>
#include <memory>
#include <vector>

#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "gtest/gtest.h"

namespace wsrouter {

RawAnswer RawCall(grpc::Channel& channel, const std::string& method, const std::string& request,
                  const std::string& authorization) {
  // The stub needs shared ownership; the channel is the caller's.
  grpc::GenericStub stub(std::shared_ptr<grpc::ChannelInterface>(&channel, [](auto*) {}));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  if (!authorization.empty()) context.AddMetadata("authorization", authorization);
  grpc::CompletionQueue queue;
  const auto step = [&queue] {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  step();
  const grpc::Slice slice(request);
  call->Write(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions().set_last_message(), nullptr);
  step();
  RawAnswer answer;
  grpc::ByteBuffer response;
  call->Read(&response, nullptr);
  const bool responded = step();
  if (responded) {
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(response.Dump(&slices).ok());
    for (const grpc::Slice& part : slices) {
      answer.octets.append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
    context.TryCancel();  // a stream would go on
  }
  call->Finish(&answer.status, nullptr);
  step();
  if (responded) answer.status = grpc::Status::OK;
  queue.Shutdown();
  step();
  return answer;
}

}  // namespace wsrouter
