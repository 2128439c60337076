#ifndef WSROUTER_CONTROL_MEMBER_LABELS_H_
#define WSROUTER_CONTROL_MEMBER_LABELS_H_

#include <cstddef>

#include "control/answer.h"
#include "core/broker.h"
#include "core/ids.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {

// A page of members with labels has no more members, and no more octets of labels, or one member.
inline constexpr uint32_t kLabelledPageMax = 100;
inline constexpr size_t kLabelledPageBytesMax = size_t{1} << 20;

// Answers with the page of the room's members and the labels of each, which the shards that hold
// them are asked for, in one envelope to the room. The directory has no labels: they can be a
// hundred times as large as a row, are read seldom, and every join would have to write them.
//
// Any thread.
void AnswerWithLabels(Broker& broker, const RoomName& room, v1::MembersResponse page,
                      Answer<v1::MembersResponse> answer);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_MEMBER_LABELS_H_
