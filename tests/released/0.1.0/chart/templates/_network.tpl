{{/* Peers for policies: the operator's pods, from any namespace; and the pods that the operator makes. */}}
{{- define "modelyard.peer.operator" -}}
namespaceSelector:
  matchLabels: {kubernetes.io/metadata.name: {{ .Release.Namespace }}}
podSelector:
  matchLabels: {{ include "modelyard.selector" (list . "operator") | nindent 4 }}
{{- end -}}

{{- define "modelyard.workloadPods" -}}
matchLabels: {app.kubernetes.io/managed-by: modelyard}
{{- end -}}

{{- define "modelyard.egress.dns" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- end -}}

{{/* The port of an external store, where its URL names one that is not 443. */}}
{{- define "modelyard.store.port" -}}
{{- $url := urlParse (include "modelyard.store.endpoint" .) -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $port | default (ternary "80" "443" (eq $url.scheme "http")) -}}
{{- end -}}
