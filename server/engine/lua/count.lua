-- Answer: online clients and owned connections of the cluster. Writes nothing.
return {counted('clients'), counted('connections')}
