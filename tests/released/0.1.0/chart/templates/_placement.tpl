{{/* Call with (list $ .Values.operator): where a pod may run and how its images are pulled. */}}
{{- define "modelyard.placement" -}}
{{- $fields := dict -}}
{{- range (index . 0).Values.images.pullSecrets -}}
{{- $_ := set $fields "imagePullSecrets" (append ($fields.imagePullSecrets | default list) (dict "name" .)) -}}
{{- end -}}
{{- with (index . 1).nodeSelector }}{{ $_ := set $fields "nodeSelector" . }}{{ end -}}
{{- with (index . 1).tolerations }}{{ $_ := set $fields "tolerations" . }}{{ end -}}
{{- if $fields }}{{ toYaml $fields }}{{ end -}}
{{- end -}}
