"""The ATen operators that a model of PyTorch may use: functions of tensors and numbers, nothing else.

None of them reads or writes files, loads libraries, starts threads or talks to other processes, as `save`, `from_file`
and `rpc_sync` do. The name in place of a variant, with `_` at its end, is allowed with it.
"""

_ARITHMETIC = """
abs absolute acos acosh add addcdiv addcmul addmm addmv alpha_dropout asin asinh atan atan2 atanh baddbmm bmm ceil
clamp clamp_max clamp_min cos cosh cumprod cumsum div divide dot erf erfc exp exp2 expm1 floor floor_divide floordiv
fmod frac hypot lerp linear log log10 log1p log2 logaddexp logaddexp2 logsumexp matmul maximum minimum mm mul multiply
mv neg negative nan_to_num outer pow reciprocal remainder round rsqrt rsub sgn sigmoid sign sin sinh sqrt square sub
subtract tan tanh true_divide trunc xlogy
"""
_COMPARISONS = """
all allclose any bitwise_and bitwise_not bitwise_or bitwise_xor eq equal ge greater greater_equal gt isclose isfinite
isinf isnan le less less_equal logical_and logical_not logical_or logical_xor lt ne not_equal where
"""
_REDUCTIONS = """
amax amin argmax argmin argsort bincount count_nonzero max mean median min mode nanmean nansum norm prod sort std sum
topk var
"""
_NETWORKS = """
adaptive_avg_pool1d adaptive_max_pool1d avg_pool1d avg_pool2d batch_norm bilinear celu conv1d conv2d convolution
_convolution dropout elu embedding embedding_bag feature_dropout gelu glu group_norm gru hardshrink hardsigmoid
hardswish hardtanh instance_norm layer_norm leaky_relu log_sigmoid log_softmax logit lstm max_pool1d max_pool2d mish
one_hot prelu relu relu6 rms_norm rnn_relu rnn_tanh scaled_dot_product_attention selu silu softmax softplus softshrink
threshold
"""
_SHAPES = """
arange as_tensor broadcast_tensors broadcast_to cat chunk clone column_stack concat concatenate contiguous copy data
detach diag diagonal dim dtype empty_like expand expand_as eye fill flatten flip full full_like gather hstack index
index_select is_floating_point lift_fresh_copy linspace masked_fill masked_select meshgrid movedim narrow numel ones
ones_like permute repeat repeat_interleave reshape roll scalar_tensor scatter scatter_add select size slice split
split_with_sizes squeeze stack stride sym_size sym_numel t tensor tensor_split tile to transpose tril triu type_as
unbind unflatten unsqueeze unsqueeze_copy view view_as vstack zeros zeros_like
"""
_PLAIN = """
Bool Float Int IntImplicit FloatImplicit NumToTensor RaiseException Size append device extend format get is_cuda item
items keys layout len list name pop range requires_grad sorted str values warn unchecked_cast
unchecked_unwrap_optional __and__ __contains__ __derive_index __getitem__ __is__ __isnot__ __not__ __or__
__range_length _assert_scalar _assert_tensor_metadata sym_constrain_range sym_constrain_range_for_size
"""
OPERATORS = frozenset(" ".join((_ARITHMETIC, _COMPARISONS, _REDUCTIONS, _NETWORKS, _SHAPES, _PLAIN)).split())


def is_allowed(operator: str) -> bool:
    """Whether an operator, without its namespace and overload, may be used."""
    return operator in OPERATORS or operator.removesuffix("_") in OPERATORS
