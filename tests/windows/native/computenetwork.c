// A computenetwork.dll whose calls a forwarder answers; see forward.h.
#include "forward.h"
const char library_name[] = "computenetwork.dll";
void *library_alloc(SIZE_T size) { return CoTaskMemAlloc(size); }
int library_arrived(Receiver *receiver, Frame *event) { (void)receiver; (void)event; return 0; }
void library_deliver(Receiver *receiver, Header *event, PWSTR data) { (void)receiver; (void)event; (void)data; }

#define KIND(one, many) \
  EXPORT HcnEnumerate##many(PCWSTR query, PWSTR *ids, PWSTR *error) { \
    return FORWARD(.texts = { query }, .value = ids, .result = error); \
  } \
  EXPORT HcnOpen##one(const GUID *id, UINT64 *handle, PWSTR *error) { \
    WCHAR text[39]; StringFromGUID2(id, text, 39); \
    return FORWARD(.texts = { text }, .opened = handle, .result = error); \
  } \
  EXPORT HcnQuery##one##Properties(UINT64 handle, PCWSTR query, PWSTR *properties, PWSTR *error) { \
    return FORWARD(.handle = handle, .texts = { query }, .value = properties, .result = error); \
  } \
  EXPORT HcnClose##one(UINT64 handle) { return FORWARD(.handle = handle); }
KIND(Namespace, Namespaces)
KIND(Endpoint, Endpoints)
KIND(Network, Networks)
