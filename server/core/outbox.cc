#include "core/outbox.h"

#include <algorithm>
#include <utility>

namespace wsrouter {
namespace {

// What an emptied outbox may keep for its next burst: 32 references, and as many keys.
constexpr size_t kCapacityKept = 32;

}  // namespace

void Outbox::Consume(size_t octets) {
  if (octets == bytes_) {
    if (keys_ != nullptr) keys_->clear();  // before the frames, which hold the keys
    if (keys_ != nullptr && keys_->capacity() > kCapacityKept) keys_.reset();
    base_ = next_number();
    bytes_ = sent_ = head_ = 0;
    frames_.clear();
    if (frames_.capacity() > kCapacityKept) frames_ = {};
    return;
  }
  bytes_ -= static_cast<uint32_t>(octets);
  size_t sent = sent_ + octets;
  while (head_ < frames_.size() && sent >= frames_[head_]->wire().size()) {
    sent -= frames_[head_]->wire().size();
    ForgetKey(head_);
    frames_[head_++] = FrameRef();
  }
  sent_ = static_cast<uint32_t>(sent);
  if (sent_ > 0) ForgetKey(head_);
  ForgetSent();
}

void Outbox::ForgetSent() {
  if (head_ <= kCapacityKept || head_ <= frames_.size() / 2) return;
  frames_.erase(frames_.begin(), frames_.begin() + static_cast<ptrdiff_t>(head_));
  base_ += head_;
  head_ = 0;
}

void Outbox::RememberKey(const FrameRef& frame, size_t place) {
  if (keys_ == nullptr) keys_ = std::make_unique<decltype(keys_)::element_type>();
  const std::string_view key = frame.standing().key;
  keys_->erase(key);  // which another frame holds
  keys_->emplace(key, base_ + static_cast<uint32_t>(place));
}

void Outbox::ForgetKey(size_t place) {
  if (keys_ == nullptr || frames_[place].standing().key.empty()) return;
  const auto found = keys_->find(frames_[place].standing().key);
  if (found != keys_->end() && found->second == base_ + place) keys_->erase(found);
}

std::optional<size_t> Outbox::Conflate(const FrameRef& frame, size_t bytes_max) {
  if (keys_ == nullptr) return std::nullopt;
  const auto found = keys_->find(frame.standing().key);
  if (found == keys_->end()) return std::nullopt;
  const uint32_t place = found->second - base_;
  const size_t size = frame->wire().size();
  const size_t before = frames_[place]->wire().size();
  if (size > before && !Takes(size - before, 0, bytes_max)) return std::nullopt;
  bytes_ += static_cast<uint32_t>(size) - static_cast<uint32_t>(before);
  keys_->erase(found);
  frames_[place] = frame;
  RememberKey(frame, place);
  return before;
}

FrameRef Outbox::DropOldest() {
  const size_t first = head_ + (sent_ > 0 ? 1 : 0);
  const size_t end = std::min(frames_.size(), first + kLookedAt);
  size_t place = first;
  while (place < end && !frames_[place].standing().gives_way) ++place;
  if (place >= end) return {};
  ForgetKey(place);
  FrameRef dropped = std::exchange(frames_[place], FrameRef());
  // Who stood before it moves up. None of these has a key that is remembered: frames with keys give
  // way, and of what is begun the key is forgotten.
  for (; place > head_; --place) std::swap(frames_[place], frames_[place - 1]);
  ++head_;
  bytes_ -= static_cast<uint32_t>(dropped->wire().size());
  ForgetSent();
  return dropped;
}

size_t Outbox::PutNext(const FrameRef& frame, const FrameRef& stale) {
  size_t gone = 0;
  if (IsNext(stale)) {
    gone = stale->wire().size();
    frames_[head_ + (sent_ > 0 ? 1 : 0)] = frame;
  } else if (head_ > 0) {
    --head_;
    if (sent_ > 0) std::swap(frames_[head_], frames_[head_ + 1]);
    frames_[head_ + (sent_ > 0 ? 1 : 0)] = frame;
  } else {
    frames_.insert(frames_.begin() + (sent_ > 0 ? 1 : 0), frame);
    --base_;
  }
  bytes_ += static_cast<uint32_t>(frame->wire().size()) - static_cast<uint32_t>(gone);
  return gone;
}

size_t Outbox::messages() const {
  return static_cast<size_t>(std::ranges::count_if(frames(), [](const FrameRef& frame) {
    return frame->opcode() == Opcode::kText || frame->opcode() == Opcode::kBinary;
  }));
}

size_t Outbox::DropUnsent() {
  const size_t before = messages();
  const size_t kept = head_ + (sent_ > 0 ? 1 : 0);
  if (keys_ != nullptr) keys_->clear();
  while (frames_.size() > kept) {
    bytes_ -= static_cast<uint32_t>(frames_.back()->wire().size());
    frames_.pop_back();
  }
  return before - messages();
}

}  // namespace wsrouter
