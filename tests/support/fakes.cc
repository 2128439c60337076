#include "tests/support/fakes.h"

#include "gtest/gtest.h"

namespace wsrouter {

PostTask ManualTasks::Post() {
  return [this](absl::AnyInvocable<void() &&> task) { tasks_.push_back(std::move(task)); };
}

size_t ManualTasks::RunAll() {
  size_t ran = 0;
  for (; !tasks_.empty(); ++ran) {
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    std::move(task)();
  }
  return ran;
}

void RecordingTransport::WantWrite(Connection& connection) {
  static_cast<FakeConnection&>(connection).wants_write = true;
}

void RecordingTransport::Close(Connection& connection, CloseWith close) {
  auto& fake = static_cast<FakeConnection&>(connection);
  EXPECT_TRUE(fake.closing);
  if (fake.parked) {
    fake.parted = std::move(close);
    return;
  }
  EXPECT_FALSE(fake.closed.has_value()) << "closed twice";
  fake.closed = std::move(close);
}

void RecordingTransport::Rearm(Connection& connection) {
  ++static_cast<FakeConnection&>(connection).rearms;
}

void RecordingTransport::Admitted(Connection& connection) {
  ++static_cast<FakeConnection&>(connection).admitted;
}

void RecordingTransport::Pause(Connection& connection) {
  static_cast<FakeConnection&>(connection).paused = true;
}

void RecordingTransport::Resume(Connection& connection) {
  static_cast<FakeConnection&>(connection).paused = false;
}

void HeldMailbox::Take(std::shared_ptr<const Envelope> envelope, ReceiptPart part) {
  if (waiting_.size() >= capacity) return;
  waiting_.push_back({std::move(envelope), std::move(part)});
}

size_t HeldMailbox::DeliverTo(Shard& shard) {
  size_t delivered = 0;
  while (!waiting_.empty()) {
    std::vector<Shard::Letter> letters = std::exchange(waiting_, {});
    delivered += letters.size();
    shard.OnEnvelopes(letters);
  }
  return delivered;
}

void HesitantBroker::Publish(Envelope envelope, ReceiptSum::Done done) {
  broker_.Publish(std::move(envelope), std::move(done));
}

void HesitantBroker::Subscribe(Subscriber& subscriber, const Topic& topic,
                               absl::AnyInvocable<void(absl::Status) &&> done) {
  ++subscribes;
  if (refuses) {
    std::move(done)(absl::UnavailableError("broker is away"));
  } else if (keeps_back) {
    auto keep = [this, done = std::move(done)](absl::Status status) mutable {
      kept_.push_back([done = std::move(done), status]() mutable { std::move(done)(status); });
    };
    broker_.Subscribe(subscriber, topic, std::move(keep));
  } else {
    broker_.Subscribe(subscriber, topic, std::move(done));
  }
}

void HesitantBroker::Unsubscribe(Subscriber& subscriber, const Topic& topic) {
  broker_.Unsubscribe(subscriber, topic);
}

void HesitantBroker::LetThrough() {
  for (auto& answer : std::exchange(kept_, {})) std::move(answer)();
}

}  // namespace wsrouter
