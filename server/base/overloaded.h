#ifndef WSROUTER_BASE_OVERLOADED_H_
#define WSROUTER_BASE_OVERLOADED_H_

namespace wsrouter {

// One visitor of a std::variant made of a lambda an alternative.
template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

}  // namespace wsrouter

#endif  // WSROUTER_BASE_OVERLOADED_H_
